"""Score sheets for Excel and statistics programs."""
