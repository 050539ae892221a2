"""The error of every reader of device files."""


class InvalidDeviceFile(ValueError):
    """A file that no SP-404 wrote, or that is damaged. Its text is a sentence for users."""
