"""Search: full text, spelling correction, filters, sort orders, windows and cursors."""

import base64
import json
import uuid
from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.errors import ValidationFailed
from sp404_app.models import Sample, SampleStatus, User
from sp404_app.models.columns import now
from sp404_app.services.infra import text
from sp404_app.services.library import samples, search
from sp404_app.services.library.search import SampleQuery

Add = Callable[..., uuid.UUID]


@pytest.fixture
def add(session: Session, user: User) -> Add:
    """Insert a sample row, without a file."""

    def add_one(name: str, *, owner: uuid.UUID | None = None, **fields: object) -> uuid.UUID:
        sample = Sample(
            user_id=owner or user.id, name=name, filename=name, storage_key=uuid.uuid4().hex,
            size=1000, digest=uuid.uuid4().hex, format="WAV 16-bit", **fields,  # type: ignore[arg-type]
        )  # fmt: skip
        samples.update_search_fields(sample)
        session.add(sample)
        session.flush()
        return sample.id

    return add_one


def names(session: Session, user: User, **wanted: object) -> list[str]:
    query = SampleQuery(sort="name", **wanted)  # type: ignore[arg-type]
    return [row.name for row in search.search_page(session, user.id, query, "", 200).rows]


def test_word_prefixes_match_name_tags_note_and_folder(
    session: Session, user: User, add: Add
) -> None:
    add("Dusty Break 90")
    add("Clap", tags=["Vinyl"], note="from the attic", folder="Kits/Rusty")
    assert names(session, user, q="dus") == ["Dusty Break 90"]
    assert names(session, user, q="vin att rus") == ["Clap"]
    assert names(session, user, q="vin dus") == []
    assert names(session, user, q="-dusty") == ["Clap"]


def test_synonyms_accents_and_case_are_ignored(session: Session, user: User, add: Add) -> None:
    add("BD hard")
    add("Žluťoučký Hi-Hat")
    assert names(session, user, q="KICK") == ["BD hard"]
    assert names(session, user, q="zlutoucky") == ["Žluťoučký Hi-Hat"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Loop 90bpm", "Loop 90 bpm"), ("808kick", "808 Kick"), ("Snare 2", "Snare02"),
        ("Snare 2", "snare_002"), ("DustyBreak", "dusty break"), ("bd02", "Kick 2"),
        ("Tom-Low3", "tom low 03"), ("Ørsted", "orsted"), ("Pad C# minor", "pad_Dbm"),
        ("Pad F♯m", "pad f# min"), ("Pad Bb", "PAD B flat"), ("Chord Am 90", "chord a minor 090"),
    ],
)  # fmt: skip
def test_spelling_variants_of_a_name_find_each_other(
    session: Session, user: User, add: Add, one: str, other: str
) -> None:
    add(one)
    add(other)
    add("Something else entirely")
    assert set(names(session, user, q=one)) == {one, other}
    assert set(names(session, user, q=other)) == {one, other}


@pytest.mark.parametrize("q", ["!!!", "-", "--", "#", "...", "_", "🥁", "( )", "\x00", "♯"])
def test_symbols_match_only_the_exact_name(session: Session, user: User, add: Add, q: str) -> None:
    add("Kick")
    assert names(session, user, q=q) == []
    if clean := q.strip("\x00"):
        add(clean)
        assert names(session, user, q=q) == [clean]
    assert len(names(session, user, q="   ")) >= 1


def test_a_key_matches_analysed_keys_and_names(session: Session, user: User, add: Add) -> None:
    add("One", key="C# minor")
    add("Two", key="C# major")
    add("Three C#")
    add("Four", key="C major")
    add("Five", key="F# minor")
    add("Amen")
    add("Six", key="A minor")
    assert set(names(session, user, q="C#")) == {"One", "Two", "Three C#"}
    assert names(session, user, q="Dbm") == ["One"]
    assert names(session, user, q="c# major") == ["Two"]
    assert names(session, user, q="F#m") == ["Five"]
    assert set(names(session, user, q="minor")) == {"One", "Five", "Six"}
    assert set(names(session, user, q="Am")) == {"Amen", "Six"}
    assert names(session, user, q="am") == ["Amen"]
    assert names(session, user, q="8A") == ["Six"]
    assert set(names(session, user, q="minor -C#")) == {"Five", "Six"}


PASTED = [
    "Sunrise -8A - 124.wav", "dirt -dry.wav", "Pack - Loop 03 -wet", "-5 dB pad.wav", "--help.wav",
    "DustyBreak90bpm.wav", "a_b-c (1).aif", "Äpfel – Öl.flac", '12" break.wav', "Loop 92.5 BPM",
    "[2019-03-04 124550] x.wav", "dt02_heavy_dubfade_F#.wav", "A Minor Setback.wav", "C#4.wav",
    "B.wav", "#1.wav", "99 % -.wav", "alien c 100bpm .teaboi .TeaBoi.wav", "x -y" * 40 + ".wav",
]  # fmt: skip


def test_a_pasted_file_name_finds_its_sample(session: Session, user: User, add: Add) -> None:
    stems = [split_extension(text.file_name(name))[0] for name in PASTED]
    kept = [text.clean_name(stem) for stem in stems]
    for name in kept:
        add(name)
    for pasted, name in zip(PASTED, kept, strict=True):
        assert name in names(session, user, q=pasted), pasted
        assert name in names(session, user, q=name), name
        assert name in names(session, user, q=f" {name.upper()} "), name


def test_a_minus_excludes_a_word(session: Session, user: User, add: Add) -> None:
    add("Kick loud")
    add("Kick soft")
    assert names(session, user, q="kick -loud") == ["Kick soft"]
    add("Kick -loud")
    assert set(names(session, user, q="kick -loud")) == {"Kick soft", "Kick -loud"}


def test_names_are_sorted_naturally(session: Session, user: User, add: Add) -> None:
    wanted = ["!", "2 x", "10 x", "Apfel", "Äpfel", "kick2", "Kick 10", "Zug", "Ж"]
    for name in reversed(wanted):
        add(name)
    assert names(session, user) == wanted
    falling = search.search_window(session, user.id, SampleQuery(sort="-name"), 0, 20).rows
    assert [row.name for row in falling] == wanted[::-1]


def test_cursors_of_long_names_fit_into_a_url(session: Session, user: User, add: Add) -> None:
    for number in range(3):
        add("🥁" * 198 + f"{number}")
    first = search.search_page(session, user.id, SampleQuery(sort="name"), "", 1)
    assert len(first.next_cursor or "") < 2000
    rest = search.search_page(
        session, user.id, SampleQuery(sort="name"), first.next_cursor or "", 5
    )
    assert len(rest.rows) == 2


def test_a_typo_is_corrected_and_the_correction_returned(
    session: Session, user: User, add: Add
) -> None:
    add("Breakbeat dusty")
    found = search.search_window(session, user.id, SampleQuery(q="braekbeat dus"), 0, 10)
    assert [row.name for row in found.rows] == ["Breakbeat dusty"]
    assert found.corrected == "breakbeat dus"
    assert search.search_ids(session, user.id, SampleQuery(q="braekbeat dus")) == []
    assert search.search_window(session, user.id, SampleQuery(q="zzzzzzz"), 0, 10).total == 0


def test_of_some_samples_only_those_that_the_query_finds_are_returned(
    session: Session, user: User, person: Callable[..., User], add: Add
) -> None:
    kick, snare, gone = add("Kick"), add("Snare"), add("Kick 2", deleted_at=now())
    add("Kick 3")
    theirs = add("Kick", owner=person().id)
    some = [str(each) for each in (kick, snare, gone, theirs)]
    assert search.search_among(session, user.id, SampleQuery(q="kick"), some) == [kick]
    assert search.search_among(session, user.id, SampleQuery(trash=True), some) == [gone]
    assert search.search_among(session, user.id, SampleQuery(), []) == []


def test_spelling_correction_uses_only_the_users_words(
    session: Session, user: User, person: Callable[..., User], add: Add
) -> None:
    add("Breakbeat", owner=person().id)
    found = search.search_window(session, user.id, SampleQuery(q="braekbeat"), 0, 10)
    assert (found.total, found.corrected) == (0, "")


@pytest.mark.parametrize(
    ("q", "is_found"),
    [
        ("a & | ! ( ) : * <-> '", False),
        ("'; drop table samples; --", False),
        ('"kick', True),
        ("kick:*", True),
        ("!!!", False),
        ("\\", False),
        ("\x00", False),
        ("\ud800", False),
        ("🥁", False),
        ("🥁" * 100, False),
        ("x" * 10_000, False),
        ("㌀" * 400, False),
        ("ﷺ" * 400, False),
        ("a:*b:*", False),
        ("-", False),
        ("- -x", False),
        ("- -y", True),
        ("1e5", True),
        ("0x1F", True),
        ("½²①", False),
        ("كيك", False),
        ("का", False),
        ("%_", False),
        ("e\u0301" * 300, False),
        ("kick " * 5000, True),
    ],
)
def test_any_text_is_a_valid_search_that_finds_only_what_matches(
    session: Session, user: User, add: Add, q: str, is_found: bool
) -> None:
    sample_id = add("Kick 1e5 0x1F")
    found = search.search_window(session, user.id, SampleQuery(q=q), 0, 10)
    assert [row.id for row in found.rows] == ([sample_id] if is_found else [])
    assert (found.total, found.corrected) == (len(found.rows), "")
    assert search.search_ids(session, user.id, SampleQuery(q=q)) == [row.id for row in found.rows]
    assert names(session, user) == ["Kick 1e5 0x1F"]


@pytest.mark.parametrize(
    "name", ["1e5", "-5.3", "a@b.cz", "https://x.org/y?z", "½²①", "की", "🥁 x", "x" * 200]
)
def test_any_name_finds_its_sample(session: Session, user: User, add: Add, name: str) -> None:
    add(name)
    assert names(session, user, q=name.lstrip("-")) == [name]


def test_filters_are_combined_with_and(session: Session, user: User, add: Add) -> None:
    add("A", bpm=92.0, key="A minor", kind="loop", duration=4.0, tags=["dusty", "drums"])
    add("B", bpm=120.0, key="C major", kind="loop", duration=8.0, tags=["dusty"], favourite=True)
    add("C", key="F# major", kind="one_shot", sound_class="closed hat", duration=0.5,
        status=SampleStatus.READY)  # fmt: skip
    assert names(session, user, bpm_min=92, bpm_max=92) == ["A"]
    assert names(session, user, bpm_min=93) == ["B"]
    assert names(session, user, key="A minor") == ["A"]
    assert names(session, user, compatible_key="A minor") == ["A", "B"]
    assert names(session, user, kind="one_shot") == ["C"]
    assert names(session, user, sound_class="closed hat") == ["C"]
    assert names(session, user, sound_class="kick") == []
    assert names(session, user, tags=("dusty", "drums")) == ["A"]
    assert names(session, user, duration_min=0.6, duration_max=5) == ["A"]
    assert names(session, user, favourite=True) == ["B"]
    assert names(session, user, status="ready") == ["C"]
    assert names(session, user, tags=("dusty",), bpm_min=100, key="C major") == ["B"]


def test_trashed_samples_are_found_only_in_the_trash(
    session: Session, user: User, add: Add
) -> None:
    add("Here")
    add("Gone", deleted_at=now())
    assert names(session, user) == ["Here"]
    assert names(session, user, trash=True) == ["Gone"]


def test_a_search_finds_only_the_users_samples(
    session: Session, user: User, person: Callable[..., User], add: Add
) -> None:
    stranger = person().id
    theirs = add("Secret", owner=stranger)
    assert names(session, user, q="secret") == []
    assert theirs not in search.search_ids(session, user.id, SampleQuery())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sort", "password_hash"), ("sort", "--name"), ("sort", ""), ("key", "H"), ("kind", "x"),
        ("sound_class", "cowbell"),
        ("status", "x"), ("compatible_key", "x"), ("bpm_min", float("nan")), ("bpm_max", -1.0),
        ("duration_max", float("inf")), ("duration_min", 1e300),
    ],
)  # fmt: skip
def test_an_invalid_query_is_rejected_with_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationFailed) as refusal:
        SampleQuery(**{field: value})  # type: ignore[arg-type]
    assert list(refusal.value.details) == [field]


def all_pages(session: Session, user: User, sort: str, limit: int = 3) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    cursor = ""
    for _ in range(20):
        page = search.search_page(session, user.id, SampleQuery(sort=sort), cursor, limit)
        found += [row.id for row in page.rows]
        if page.next_cursor is None:
            return found
        cursor = page.next_cursor
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in search.SORTS for sign in ("", "-")])
def test_pages_contain_every_sample_once_in_any_sort_order(
    session: Session, user: User, add: Add, sort: str
) -> None:
    for number in range(11):
        add(
            "Same" if number % 2 else f"ŽB{number}",
            bpm=None if number % 3 == 0 else 90.0 + number % 2,
            key=None if number % 4 == 0 else "A minor",
            duration=number / 3,
        )
    whole = search.search_ids(session, user.id, SampleQuery(sort=sort))
    assert all_pages(session, user, sort) == whole
    assert len(set(whole)) == 11
    window = search.search_window(session, user.id, SampleQuery(sort=sort), 4, 3)
    assert [row.id for row in window.rows] == whole[4:7]


@pytest.mark.parametrize("sort", ["created", "-created", "name", "bpm"])
def test_cursors_stay_valid_while_rows_are_added_and_deleted(
    session: Session, user: User, add: Add, sort: str
) -> None:
    ids = [add(f"N{number}", bpm=90.0 + number) for number in range(6)]
    first = search.search_page(session, user.id, SampleQuery(sort=sort), "", 2)
    seen = [row.id for row in first.rows]
    session.delete(first.rows[0])
    add("M", bpm=50.0)
    rest = search.search_page(session, user.id, SampleQuery(sort=sort), first.next_cursor or "", 10)
    following = [row.id for row in rest.rows if row.id in ids]
    assert sorted(seen + following) == sorted(ids)


def forged(payload: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(payload).encode()).decode()


NOBODY = str(uuid.UUID(int=0))


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "====",
        "\x00",
        forged(5),
        forged([]),
        forged({}),
        forged(["name"]),
        forged(["bpm", 90, NOBODY]),
        forged(["name", 90, NOBODY]),
        forged(["name", "a", 5]),
        forged(["name", "a", "x"]),
        forged(["name", ["a"], NOBODY]),
        forged(["name", "a", None]),
        base64.urlsafe_b64encode(b"[" * 1400).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_malformed_cursor_is_rejected(session: Session, user: User, cursor: str) -> None:
    with pytest.raises(ValidationFailed):
        search.search_page(session, user.id, SampleQuery(sort="name"), cursor, 10)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("name", "\x00"),
        ("name", "\ud800"),
        ("name", True),
        ("bpm", float("nan")),
        ("bpm", float("-inf")),
        ("size", 10**200),
        ("bpm", True),
    ],
)
def test_a_cursor_with_an_impossible_value_is_rejected(
    session: Session, user: User, sort: str, value: object
) -> None:
    with pytest.raises(ValidationFailed):
        search.search_page(
            session, user.id, SampleQuery(sort=sort), forged([sort, value, NOBODY]), 10
        )


@pytest.mark.parametrize(
    ("sort", "value", "following"),
    [
        ("name", "x" * 900, []),
        ("name", "a5", ["B"]),
        ("-name", "x" * 900, ["B", "A"]),
        ("size", 0.5, ["A", "B"]),
        ("-size", 0.5, []),
        ("bpm", None, ["B"]),
        ("bpm", 90.5, ["B"]),
        ("-bpm", 90.5, ["A", "B"]),
        ("key", "B minor", ["B"]),
    ],
)
def test_a_cursor_between_rows_continues_at_the_next_row(
    session: Session, user: User, add: Add, sort: str, value: object, following: list[str]
) -> None:
    add("A", bpm=90.0, key="A minor")
    add("B")
    cursor = forged([sort, value, NOBODY])
    found = search.search_page(session, user.id, SampleQuery(sort=sort), cursor, 10)
    assert [row.name for row in found.rows] == following
    assert (found.total, found.next_cursor) == (2, None)


def test_another_users_cursor_shows_none_of_their_samples(
    session: Session, user: User, person: Callable[..., User], add: Add
) -> None:
    stranger = person()
    for number in range(3):
        add(f"Secret {number}", owner=stranger.id)
    theirs = search.search_page(session, stranger.id, SampleQuery(sort="name"), "", 1).next_cursor
    mine = add("Z mine")
    found = search.search_page(session, user.id, SampleQuery(sort="name"), theirs or "", 10)
    assert [row.id for row in found.rows] == [mine]


def test_a_window_beyond_the_end_is_the_last_window(session: Session, user: User, add: Add) -> None:
    for number in range(5):
        add(f"N{number}")
    found = search.search_window(session, user.id, SampleQuery(sort="name"), 10**9, 2)
    assert (found.start, found.total, [row.name for row in found.rows]) == (3, 5, ["N3", "N4"])
    assert search.search_window(session, user.id, SampleQuery(sort="name"), -5, 2).start == 0


def test_the_search_vector_follows_the_search_text(session: Session, add: Add) -> None:
    sample_id = add("Kick")
    assert "kick" in session.exec(select(Sample.search).where(Sample.id == sample_id)).one()
