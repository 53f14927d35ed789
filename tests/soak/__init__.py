"""Long checks, run by `make soak`; each has a quick form that runs with the others."""
