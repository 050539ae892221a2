"""State of the pages for signing in and up, and of re-authentication."""
