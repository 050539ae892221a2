"""SP-404 file formats: bytes in, bytes out."""
