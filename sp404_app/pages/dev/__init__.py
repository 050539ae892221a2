"""Pages that exist in development only."""
