"""Embeddings for similar sounds, and fingerprints for duplicates."""
