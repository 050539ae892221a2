"""Sample page: the section with the collections that the sample is in."""

import reflex as rx

from sp404_app.state.sample.collections import CollectionOfSample, SampleCollectionsState


def collections_section() -> rx.Component:
    """Links to the collections that the sample is in; nothing if it is in none."""
    return rx.cond(
        SampleCollectionsState.collections.length() > 0,
        rx.el.section(
            rx.el.h2("In collections"),
            rx.el.ul(
                rx.foreach(SampleCollectionsState.collections, collection_link),
                class_name="pad-links",
            ),
            class_name="card alike",
            data_testid="in-collections",
        ),
    )


def collection_link(collection: CollectionOfSample) -> rx.Component:
    """Link to one collection, in its colour."""
    return rx.el.li(
        rx.el.a(
            rx.el.i(class_name="collection-dot"),
            rx.el.span(collection.name, class_name="pad-project"),
            href=f"/collections/{collection.id}",
            class_name="pad-link collection-link touch-target",
            style={"--bank": rx.cond(collection.colour != "", collection.colour, "var(--faint)")},
            data_testid="collection-link",
        ),
        key=collection.id,
    )
