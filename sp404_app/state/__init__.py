"""Reflex states, one per tab. Handlers authenticate the user, call a service, show the result."""
