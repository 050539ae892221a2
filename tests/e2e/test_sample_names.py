"""Sample names: kept as uploaded, sorted naturally, searchable; a key in a name is only a hint."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.audio.features.test_analysis import chords
from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.test_duplicates import upload
from tests.e2e.test_library import rows
from tests.sounds import tone, write

NAMES = ['12" break', "100% wet", "Loop 92.5 BPM", "kick10", "Kick 2", "Äpfel", "Zug", "Snare02"]
ORDER = [
    '12" break', "100% wet", "Äpfel", "Keys 3B 90bpm", "Kick 2", "kick10", "Loop 92.5 BPM",
    "Snare02", "Zug",
]  # fmt: skip


def test_names_are_unchanged_sorted_naturally_and_searchable(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    chord = write(tmp_path / "Keys 3B 90bpm.wav", np.asarray(chords(60, 65, 67, 60)))
    files = [write(tmp_path / f"{n}.wav", tone(200 + 40 * i)) for i, n in enumerate(NAMES)]
    no_extension = files[2].rename(tmp_path / "Loop 92.5 BPM")
    upload(page, [chord, *files[:2], no_extension, *files[3:]])
    page.get_by_test_id("sort-name").click()
    expect(page.get_by_test_id("name")).to_have_text(ORDER)
    search = page.get_by_test_id("search")
    for typed, found in (
        ('12" break.wav', ['12" break']),
        ("snare 2", ["Snare02"]),
        ("92.5bpm", ["Loop 92.5 BPM"]),
        ("kick02", ["Kick 2"]),
        ("Cm", ["Keys 3B 90bpm"]),
    ):
        search.fill(typed)
        expect(page.get_by_test_id("name")).to_have_text(found)
    search.fill("###")
    expect(page.get_by_test_id("name")).to_have_count(0)
    search.fill("")
    expect(page.get_by_test_id("name")).to_have_text(ORDER)
    assert rows(page) == ORDER

    page.get_by_role("link", name="Open Keys 3B 90bpm").click()
    conflict = page.get_by_test_id("key-conflict")
    expect(conflict).to_contain_text("The file says C# major, but it sounds like another key.")
    expect(page.get_by_test_id("key-field")).to_have_value("C minor")
    page.get_by_test_id("key-written").click()
    expect(page.get_by_test_id("key-field")).to_have_value("C# major")
    expect(conflict).to_have_count(0)
