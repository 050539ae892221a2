"""SP-404 file formats. Functions take and return bytes."""
