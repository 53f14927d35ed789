"""People and their judgments: curation, releases, reader studies, grades."""
