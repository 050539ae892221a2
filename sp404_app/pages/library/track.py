"""The player's view of a sample."""

import reflex as rx

from sp404_app.state.rows import Row


def track_of(sample: Row) -> rx.Var:
    """Return the properties of a row's sample that the player needs."""
    return rx.Var.create(
        {
            "id": sample.id,
            "name": sample.name,
            "seconds": sample.seconds,
            "gain": sample.gain,
            "loops": sample.kind == "loop",
            "playable": sample.wave != "",
            "bpm": sample.bpm,
            "key": sample.key,
        }
    )
