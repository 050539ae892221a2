"""ASGI middleware, one module each; `stack` says in which order they wrap the application."""
