"""The sample library for Roland SP-404 owners."""

__version__ = "0.1.0"
