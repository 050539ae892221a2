"""Changes of many samples at once, as jobs that can be undone."""
