"""Builders of new objects with every key that the API version defines."""
