"""The project list and the pad page."""
