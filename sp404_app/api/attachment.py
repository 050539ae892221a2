"""Headers of a response that the browser saves as a file."""

import re
from urllib.parse import quote


def attachment(name: str) -> dict[str, str]:
    """Return the headers for a file name of any characters (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    encoded = quote(re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name), safe="")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    return {"Content-Disposition": disposition}
