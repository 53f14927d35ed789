"""Rubrics, reader studies, enrollments and the stored reading order."""
