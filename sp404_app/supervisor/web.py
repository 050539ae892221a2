"""Serve the built pages, the state and the API: `python -m sp404_app.supervisor.web`."""

import logging
import os

from reflex.utils import exec as server
from reflex_base import constants
from reflex_base.environment import environment

from sp404_app import logs
from sp404_app.services.infra import former_assets
from sp404_app.settings import settings

log = logging.getLogger(__name__)


def main() -> None:
    """Serve the pages without building them; `reflex run` would build at every start."""
    logs.configure()
    environment.REFLEX_ENV_MODE.set(constants.Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_BACKEND_ONLY.set(True)  # links no scripts into the checkout
    # Resolved once: the link in the home points to another bundle after the next build.
    web = environment.REFLEX_WEB_WORKDIR.get().resolve()
    os.environ[environment.REFLEX_WEB_WORKDIR.name] = str(web)
    try:
        former_assets.keep_assets(web / constants.Dirs.STATIC / "assets")
    except OSError as error:
        log.warning("tabs that are open now cannot load pages after an upgrade", exc_info=error)
    server.run_backend_prod(
        settings().host,
        settings().port,
        constants.LogLevel.WARNING,
        mount_frontend_compiled_app=True,
    )


if __name__ == "__main__":
    main()
