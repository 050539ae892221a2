"""Background jobs of samples: analysis, re-analysis, and what waits for the quota."""
