"""Systems under test, their submissions and outputs; import of outputs."""
