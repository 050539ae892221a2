"""REST routes under /api, mounted on the Reflex backend."""
