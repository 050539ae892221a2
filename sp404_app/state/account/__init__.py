"""State of the account page."""
