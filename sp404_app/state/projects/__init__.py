"""State of the project list and the pad page."""
