"""ASGI middleware, one per module; `stack` gives the order in which they wrap the application."""
