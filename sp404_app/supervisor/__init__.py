"""One process that starts, watches and stops all processes of an installation."""
