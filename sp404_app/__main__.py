"""`python -m sp404_app …`."""

import sys

from sp404_app import logs
from sp404_app.cli.main import main

if __name__ == "__main__":
    logs.configure()
    sys.exit(main())
