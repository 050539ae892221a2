"""Why an object store cannot be used, in words that contain neither its address nor a key."""

import re

# What an error text of obstore contains, and what is told: the text itself holds the address.
CAUSES = (
    ("169.254.169.254", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
    ("BadScheme", "AWS_ENDPOINT begins with http: set AWS_ALLOW_HTTP=true"),
    ("BareRedirect", "it is in another region: correct AWS_REGION"),
    ("NoSuchBucket", "its bucket does not exist"),
    ("dns error", "the name of its host is unknown"),
    ("Connection refused", "its host refuses connections"),
    ("certificate", "the certificate of its host is not trusted"),
    ("InvalidContentType", "its host does not speak https"),
    ("TimedOut", "it did not answer in time"),
    ("timed out", "it did not answer in time"),
)
STATUS = re.compile(r"status code: (\d{3})")


def cause_of(error: Exception) -> str:
    """Return why a store failed, as the end of a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error)
    if found := next((told for sign, told in CAUSES if sign in text), ""):
        return found
    status = STATUS.search(text)
    return f"it answered with status {status[1]}" if status else type(error).__name__
