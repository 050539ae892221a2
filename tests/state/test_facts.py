"""What the engine heard besides tempo and key is shown in words."""

from sp404_app.state.facts import heard_facts


def test_the_class_and_the_root_note_are_shown() -> None:
    content = {"sound_class": "bass", "class_confidence": 0.834, "root_name": "G1"}
    shown = {fact.name: fact.value for fact in heard_facts(content)}
    assert shown == {"Class": "bass, 83 % sure", "Root note": "G1"}


def test_what_was_not_heard_is_left_empty() -> None:
    assert {fact.value for fact in heard_facts({"root_name": None})} == {""}
