"""Who signs in and which site roles they hold."""
