"""What the player needs to know of a sound."""

import reflex as rx

from sp404_app.state.rows import Row


def track_of(sample: Row) -> rx.Var:
    """Return the player's view of a row."""
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
