"""Sample page, /samples/[id]: the cards for tempo, key and kind, and their corrections."""

import reflex as rx

from sp404_app.audio.features.musical_keys import KEYS, camelot
from sp404_app.components.sample_controls import tap_tempo
from sp404_app.state.sample.sample import NO_KEY, SampleState
from sp404_app.state.sample.view_model import AnalysedValue, Candidate

SHEET = SampleState.sheet
PENDING = (SHEET.status == "queued") | (SHEET.status == "analysing")


def card(title: str, answer: AnalysedValue, field: str, *parts: rx.Component) -> rx.Component:
    """A card for one value, with its source and a button that resets it to the analysis."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(title, class_name="card-title"),
            rx.el.span(answer.source, class_name="source", data_testid=f"{field}-source"),
            class_name="card-head",
        ),
        *parts,
        rx.cond(
            answer.mine,
            rx.el.button(
                "Reset to analysis",
                type="button",
                class_name="link quiet",
                on_click=SampleState.use_analysis(field),
                data_testid=f"{field}-again",
            ),
        ),
        class_name="card sample-card",
        aria_label=title,
        data_testid=f"{field}-card",
    )


def reading(answer: AnalysedValue, field: str, *figure: rx.Component) -> rx.Component:
    """The value in large type with its confidence, or why there is none."""
    return rx.el.div(
        rx.el.div(
            rx.cond(
                answer.value != "",
                rx.fragment(*figure),
                rx.cond(PENDING, rx.el.b("…"), rx.el.b("–")),
            ),
            class_name="reading",
            data_testid=f"{field}-value",
        ),
        rx.cond(answer.sure != "", confidence(answer, field)),
        rx.cond(answer.why_none != "", rx.el.p(answer.why_none, class_name="field-hint")),
        class_name="stack-tight",
    )


def confidence(answer: AnalysedValue, field: str) -> rx.Component:
    """The confidence in words, in percent and as a bar."""
    return rx.el.p(
        rx.el.span(
            rx.el.span(style={"width": f"{answer.share}%"}),
            class_name="bar meter",
            aria_hidden="true",
        ),
        answer.sure,
        rx.el.span(f"{answer.share} %", class_name="mono muted"),
        class_name="sureness",
        title="Confidence: how often values like this are correct",
        data_testid=f"{field}-sure",
    )


def candidates(
    answer: AnalysedValue, take: rx.event.EventCallback[str], field: str
) -> rx.Component:
    """Buttons for the other candidates of the analysis."""

    def candidate(choice: Candidate) -> rx.Component:
        return rx.el.button(
            rx.el.span(choice.label, class_name="mono"),
            rx.el.small(choice.detail),
            type="button",
            class_name=rx.cond(choice.current, "chip candidate on", "chip candidate"),
            aria_pressed=choice.current,
            on_click=take(choice.value),
            data_testid=f"{field}-candidate",
        )

    return rx.cond(
        answer.several,
        rx.el.div(
            rx.el.span("Could also be", class_name="field-hint"),
            rx.el.div(rx.foreach(answer.choices, candidate), class_name="candidates"),
            class_name="stack-tight",
        ),
    )


def tempo_card() -> rx.Component:
    """The tempo card."""
    tempo = SHEET.tempo
    return card(
        "Tempo",
        tempo,
        "bpm",
        rx.el.div(
            reading(tempo, "bpm", rx.el.b(tempo.value), rx.el.span("BPM")),
            rx.cond(
                tempo.value != "",
                rx.el.div(
                    scaled("÷2", "half", "Halve tempo"),
                    scaled("×2", "double", "Double tempo"),
                    class_name="scale",
                ),
            ),
            class_name="reading-row",
        ),
        rx.cond(
            tempo.others != "",
            rx.el.p(tempo.others, class_name="field-hint", data_testid="bpm-others"),
        ),
        rx.cond(
            tempo.written != "",
            contradicted(
                f"{tempo.written} BPM",
                ", but this doesn't match its length or beat. ",
                SampleState.set_tempo(tempo.written),
                "bpm",
            ),
        ),
        candidates(tempo, SampleState.set_tempo, "bpm"),
        rx.el.div(tap_tempo(on_tempo=SampleState.set_tempo), typed_tempo(), class_name="correct"),
    )


def contradicted(
    written: str | rx.Var[str],
    but: str | rx.Var[str],
    take: rx.event.EventCallback[()] | rx.event.EventSpec,
    field: str,
) -> rx.Component:
    """The file's own value, where the analysis contradicts it, and a button that uses it."""
    return rx.el.p(
        "The file says ",
        rx.el.span(written, class_name="mono"),
        but,
        rx.el.button(
            f"Use {written}",
            type="button",
            class_name="link quiet",
            on_click=take,
            data_testid=f"{field}-written",
        ),
        class_name="field-hint",
        data_testid=f"{field}-conflict",
    )


def scaled(text: str, how: str, explained: str) -> rx.Component:
    """A button that halves or doubles the tempo."""
    return rx.el.button(
        text,
        type="button",
        class_name="button mono touch-target",
        aria_label=explained,
        title=explained,
        on_click=SampleState.scale_tempo(how),
        data_testid=f"tempo-{how}",
    )


def typed_tempo() -> rx.Component:
    """The form for typing a tempo."""
    return rx.el.form(
        rx.el.div(
            rx.el.input(
                name="bpm",
                key=SHEET.tempo.value,
                default_value=SHEET.tempo.value,
                class_name="input mono",
                input_mode="decimal",
                auto_complete="off",
                aria_label="Tempo in BPM (leave empty for none)",
                placeholder="BPM",
                aria_invalid=SampleState.tempo_error != "",
                data_testid="bpm-field",
            ),
            rx.el.button("Set", type="submit", class_name="button", data_testid="bpm-set"),
            class_name="joined",
        ),
        rx.el.p(
            SampleState.tempo_error, class_name="field-error", role="alert", data_testid="bpm-error"
        ),
        on_submit=SampleState.submit_tempo,
    )


def key_card() -> rx.Component:
    """The key card."""
    answer = SHEET.key
    return card(
        "Key",
        answer,
        "key",
        reading(
            answer,
            "key",
            rx.el.b(answer.value),
            rx.el.span(SHEET.camelot, title="Position on the Camelot wheel; neighbours mix well"),
        ),
        rx.cond(
            answer.written != "",
            contradicted(
                answer.written,
                rx.cond(
                    answer.value != "",
                    ", but it sounds like another key. ",
                    ", but it has no clear pitch. ",
                ),
                SampleState.set_key(answer.written),
                "key",
            ),
        ),
        rx.cond(SHEET.tuning != "", rx.el.p(SHEET.tuning, class_name="field-hint")),
        candidates(answer, SampleState.set_key, "key"),
        rx.el.select(
            rx.el.option("No key", value=NO_KEY),
            *(rx.el.option(f"{key} · {camelot(key)}", value=key) for key in KEYS),
            class_name="input",
            value=rx.cond(answer.value != "", answer.value, NO_KEY),
            aria_label="Key",
            on_change=SampleState.set_key,
            data_testid="key-field",
        ),
    )


def kind_card() -> rx.Component:
    """The card for loop or one-shot."""
    answer = SHEET.kinds

    def choice(text: str, value: str, explained: str) -> rx.Component:
        on = answer.value == value
        return rx.el.button(
            rx.el.strong(text),
            rx.el.small(explained),
            type="button",
            class_name=rx.cond(on, "kind-choice on", "kind-choice"),
            aria_pressed=on,
            on_click=SampleState.set_kind(value),
            data_testid=f"kind-{value}",
        )

    return card(
        "Kind",
        answer,
        "kind",
        rx.el.div(
            choice("Loop", "loop", "repeats at a tempo"),
            choice("One-shot", "one_shot", "plays once"),
            class_name="kind-choices",
        ),
        rx.cond(answer.sure != "", confidence(answer, "kind")),
    )
