"""The file in which `sync` remembers a folder."""

from pathlib import Path

import pytest

from sp404_app.cli.sync_state import SyncState
from sp404_app.supervisor.errors import Failure


@pytest.mark.parametrize("name", ["file/state.sqlite", "folder"])
def test_a_path_that_cannot_be_a_file_is_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(Failure, match="cannot be opened"):
        SyncState(tmp_path / name)
