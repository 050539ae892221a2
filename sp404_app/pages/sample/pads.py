"""Sample page: the section with the pads that the sample is on."""

import reflex as rx

from sp404_app.state.sample.pads import PadLink, SamplePadsState


def pads_section() -> rx.Component:
    """Links to the pads that the sample is on; nothing if it is on none."""
    return rx.cond(
        SamplePadsState.pads.length() > 0,
        rx.el.section(
            rx.el.h2("On pads"),
            rx.el.ul(rx.foreach(SamplePadsState.pads, pad_link), class_name="pad-links"),
            class_name="card alike",
            data_testid="on-pads",
        ),
    )


def pad_link(pad: PadLink) -> rx.Component:
    """Link to one pad, in the colour of its bank."""
    return rx.el.li(
        rx.el.a(
            rx.el.span(pad.pad, class_name="pad-badge mono"),
            rx.el.span(pad.project, class_name="pad-project"),
            href=pad.address,
            class_name="pad-link touch-target",
            style={"--bank": pad.colour},
            data_testid="pad-link",
        ),
        key=pad.address,
    )
