"""State of the sample page."""
