"""Systems ranked with intervals."""
