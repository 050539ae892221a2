"""Templates of file names: fields, values that are missing, and texts that are no templates."""

import pytest

from sp404_app.services.cards.name_template import (
    FIELDS,
    InvalidTemplate,
    fill_template,
    parse_template,
)

VALUES = {
    "bank": "A",
    "pad": "01",
    "name": "Kick deep",
    "bpm": "92.5",
    "key": "Gbm",
    "class": "kick",
    "n": "7",
}
NOTHING = dict.fromkeys(FIELDS, "")


@pytest.mark.parametrize(
    ("template", "known", "named"),
    [
        ("{name}", FIELDS, "Kick deep"),
        ("", FIELDS, "Kick deep"),
        ("   ", FIELDS, "Kick deep"),
        ("{bank}{pad} {name} {bpm} {key}", FIELDS, "A01 Kick deep 92.5 Gbm"),
        ("{n:03} {name} [{class}]", FIELDS, "007 Kick deep [kick]"),
        ("{n} {n:01} {n:06}", FIELDS, "7 7 000007"),
        ("break", FIELDS, "break"),
        ("  {name}   {bpm} ", FIELDS, "Kick deep 92.5"),
        ("{bank}{pad} {name} {bpm} {key}", ("name",), "Kick deep"),
        ("{bank}{pad} {name} {bpm} {key}", ("name", "key"), "Kick deep Gbm"),
        ("{name} {bpm}BPM", ("name",), "Kick deep"),
        ("{name} ({bpm} BPM)", ("name", "bpm"), "Kick deep (92.5 BPM)"),
        ("{name}_{bpm}_{key}", ("name",), "Kick deep"),
        ("{name}_{bpm}_{key}", ("name", "key"), "Kick deep_Gbm"),
        ("{bpm}_{name}", ("name",), "Kick deep"),
        ("{key}-{bpm}-{name}", ("name",), "Kick deep"),
        ("{bpm} {key}", (), ""),
        ("by {bpm} me", (), "by me"),
    ],
)
def test_fields_without_a_value_disappear(
    template: str, known: tuple[str, ...], named: str
) -> None:
    values = NOTHING | {field: VALUES[field] for field in known}
    assert fill_template(parse_template(template), values) == named


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ("{tempo}", "{tempo}"), ("{Name}", "{Name}"), ("{}", "{}"), ("{ name }", "{ name }"),
        ("{name!r}", "{name!r}"), ("{0}", "{0}"), ("{name.__class__}", "{name.__class__}"),
        ("{name:>10}", "{name:>10}"), ("{n:}", "{n:}"), ("{n:0}", "{n:0}"), ("{n:3}", "{n:3}"),
        ("{n:07}", "{n:07}"), ("{n:0999999999}", "{n:0999999999}"), ("{pad:02}", "{pad:02}"),
        ("{name", "“{”"), ("name}", "“}”"), ("{{name}}", "“{”"), ("x" * 201, "200"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_template_is_refused_with_the_field(template: str, field: str) -> None:
    with pytest.raises(InvalidTemplate) as caught:
        parse_template(template)
    (message,) = caught.value.details["template"]
    assert field in message


def test_a_value_that_looks_like_a_field_stays_as_it_is() -> None:
    values = VALUES | {"name": "{bpm} {x}"}
    assert fill_template(parse_template("{name}"), values) == "{bpm} {x}"
