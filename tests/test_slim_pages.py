"""The bundle without what our pages do not use."""

import pytest
from reflex.config import get_config
from reflex.utils import frontend_skeleton

from sp404_app.slim_pages import (
    SCRIPTS,
    SCRIPTS_TARGET,
    STYLES,
    TARGET,
    SlimPages,
    preload_the_entry,
    publish_nothing,
    slim_config,
)

ROOT = """useEffect(() => {
    window.__reflex = {
          "react": React,
    "@emotion/react": emotion_react,
    };
  }, []);
"""


def test_vite_resolves_emotion_to_our_script_and_makes_few_files() -> None:
    config = frontend_skeleton._compile_vite_config(get_config())
    slim = slim_config(config)
    assert f'new URL("./{TARGET.as_posix()}", import.meta.url)' in slim
    assert slim.index('find: "@emotion/react"') < slim.index('find: "@",')  # the first one counts
    assert slim.index('name: "core"') < slim.index('name: "reflex-env"')
    assert slim_config(slim) == slim
    assert SlimPages().get_static_assets() == [
        (TARGET, STYLES.read_text("utf-8")),
        (SCRIPTS_TARGET, SCRIPTS.read_text("utf-8")),
    ]


def test_the_root_publishes_no_names() -> None:
    root = publish_nothing(ROOT)
    assert "emotion_react" not in root
    assert root.startswith("useEffect(() => {\n")
    assert root.endswith("\n  }, []);\n")
    assert publish_nothing(root) == root


def test_the_document_has_our_scripts() -> None:
    document = preload_the_entry('import {Scripts} from "react-router"\njsx(Scripts,{},)')
    assert "jsx(Scripts" not in document
    assert "jsx(EntryScripts,{},)" in document
    assert preload_the_entry(document) == document


@pytest.mark.parametrize("change", [slim_config, publish_nothing, preload_the_entry])
def test_a_reflex_that_has_changed_stops_the_build(change: object) -> None:
    with pytest.raises(RuntimeError, match="has changed: adapt"):
        change("export default {};")  # type: ignore[operator]
