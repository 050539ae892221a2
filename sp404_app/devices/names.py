"""Names as devices store them: ASCII in fields of a fixed number of bytes."""

NOT_PRINTABLE = bytes(byte for byte in range(256) if not 0x20 <= byte < 0x7F)


def decode_name(raw: bytes) -> str:
    """Return the printable ASCII characters before the first NUL, without spaces at the end."""
    text = raw.split(b"\0", 1)[0].translate(None, NOT_PRINTABLE)
    return text.decode("ascii").rstrip(" ")


def printable_name(name: str, max_length: int) -> str:
    """Return a name that a device can store; each other character becomes an underscore."""
    ascii_name = "".join(each if " " <= each <= "~" else "_" for each in name[:max_length])
    return ascii_name.rstrip(" ")


def encode_name(name: str, size: int) -> bytes:
    """Return a name as the device writes it: cut so that a NUL follows, NULs to the end."""
    return printable_name(name, size - 1).encode("ascii").ljust(size, b"\0")
