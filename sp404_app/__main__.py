"""`python -m sp404_app …`."""

import signal
import sys

# `serve` replaces its web server at SIGUSR1. The default action, until it is ready to do so, would
# be to end the process; the imports below take a second.
signal.signal(signal.SIGUSR1, signal.SIG_IGN)

from sp404_app import logs  # noqa: E402
from sp404_app.cli.main import main  # noqa: E402

if __name__ == "__main__":
    logs.configure()
    sys.exit(main())
