"""Synthesised sounds for the demo account, tests and training."""
