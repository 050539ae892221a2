"""Tests that drive the running product in a browser; a package, so that it runs for them only."""
