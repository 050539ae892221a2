"""Serve the built pages, the state and the API: `python -m sp404_app.supervisor.web`."""

from reflex.utils import exec as server
from reflex_base import constants
from reflex_base.environment import environment

from sp404_app import logs
from sp404_app.settings import settings
from sp404_app.telemetry import processes


def main() -> None:
    """Serve the pages without building them; `reflex run` would build at every start."""
    logs.configure()
    processes.use_own_folder()
    environment.REFLEX_ENV_MODE.set(constants.Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    server.run_backend_prod(
        settings().host,
        settings().port,
        constants.LogLevel.WARNING,
        mount_frontend_compiled_app=True,
    )


if __name__ == "__main__":
    main()
