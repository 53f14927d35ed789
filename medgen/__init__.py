"""MedGEN: the project that wires annotation and scoring together."""
