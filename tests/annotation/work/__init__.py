"""Jobs: nothing is lost or doubled, whoever dies."""
