"""Pages for signing in, signing up, passwords and email links."""
