"""Files of the SP-404MKII. All numbers are big-endian, except in patterns."""
