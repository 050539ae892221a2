"""Reflex's client without the address and the time of the build."""

from pathlib import Path

import pytest
import reflex_base

from sp404_app.portable_pages import CLIENT, PortablePages, make_portable

TEMPLATE = Path(reflex_base.__file__).parent / ".templates" / "web" / CLIENT


def test_the_client_resolves_the_backend_against_the_address_of_the_page() -> None:
    client = make_portable(TEMPLATE.read_text())
    assert "new URL(url_str, window.location.origin)" in client
    assert "new URL(url_str);" not in client
    assert 'import reflexEnvironment from "$/reflex.json"' not in client
    assert make_portable(client) == client


def test_a_client_that_has_changed_stops_the_build() -> None:
    with pytest.raises(RuntimeError, match="has changed: adapt"):
        make_portable("export const getBackendURL = null;")


def test_the_pages_know_paths_of_the_backend_instead_of_its_address() -> None:
    paths = PortablePages().update_env_json()
    assert paths["EVENT"] == "/_event"
    assert all(str(path).startswith("/") for path in paths.values())
