"""A Reflex plugin that makes the built pages independent of the machine that builds them."""

from typing import Any

from reflex.plugins import Plugin
from reflex_base.constants import Endpoint

CLIENT = "utils/state.js"  # Reflex's client, in the folder of the build
# Reflex bakes the address of the backend into the pages, and forgets its port on https pages.
# `new URL` resolves the paths that `update_env_json` writes against the page's own address.
BAKED_ADDRESS = "  const endpoint = new URL(url_str);\n"
OWN_ADDRESS = (
    '  if (typeof window !== "undefined") return new URL(url_str, window.location.origin);\n'
    '  const endpoint = new URL(url_str, "http://localhost");\n'
)
# reflex.json contains a random hash and the time of the build, beside the version that is needed.
WHOLE_REFLEX_JSON = 'import reflexEnvironment from "$/reflex.json";\n'
VERSION_ONLY = 'import { version } from "$/reflex.json";\nconst reflexEnvironment = { version };\n'
REPLACEMENTS = {BAKED_ADDRESS: OWN_ADDRESS, WHOLE_REFLEX_JSON: VERSION_ONLY}


class PortablePages(Plugin):
    """Lets the pages call the server they came from, and bakes nothing of one build into them."""

    def pre_compile(self, **context: Any) -> None:
        """Change Reflex's client before it is bundled."""
        context["add_modify_task"](CLIENT, make_portable)

    def update_env_json(self, **_: Any) -> dict[str, Any]:
        """Return the paths of the backend, which replace its addresses."""
        return {endpoint.name: str(endpoint) for endpoint in Endpoint}


def make_portable(client: str) -> str:
    """Return Reflex's client with addresses relative to the page, and without the build's time.

    Raises:
        RuntimeError: If this version of Reflex has another client.
    """
    for former, portable in REPLACEMENTS.items():
        if portable in client:  # `reflex run` compiles several times in one folder
            continue
        if client.count(former) != 1:
            raise RuntimeError(
                f"Reflex's {CLIENT} has changed: adapt `sp404_app/portable_pages.py` to it."
            )
        client = client.replace(former, portable)
    return client
