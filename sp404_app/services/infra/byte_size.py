"""Sizes in bytes as users read them: "12 kB", "12.3 MB", "1.5 GB"."""

from sp404_app.settings import MB

KB = 1 << 10
GB = 1 << 30


def format_size(count: int) -> str:
    """Write a size in GB from 1 GB, in kB below a tenth of a MB, else in MB."""
    if 0 < count < MB / 10:
        return f"{max(1, round(count / KB))} kB"
    megabytes = round(count / MB, 1)
    amount, unit = (megabytes, "MB") if megabytes < GB / MB else (count / GB, "GB")
    return f"{amount:.1f}".removesuffix(".0") + f" {unit}"
