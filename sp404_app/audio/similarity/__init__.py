"""Embeddings for similarity search and fingerprints for duplicate detection."""
