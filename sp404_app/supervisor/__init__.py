"""One process that starts everything a machine needs, watches it, and stops it again."""
