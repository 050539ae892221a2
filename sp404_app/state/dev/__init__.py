"""State of the pages that exist in development only."""
