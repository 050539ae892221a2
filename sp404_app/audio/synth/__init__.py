"""Synthesised sounds: the demo library, and training data with known answers."""
