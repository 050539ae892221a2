"""Files of the SP-404SX and SP-404A. Pad records are big-endian, WAV files little-endian."""
