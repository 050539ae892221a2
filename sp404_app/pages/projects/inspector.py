"""The inspector: the chosen pad's name, waveform, settings and edit."""

from collections.abc import Sequence
from typing import Any

import reflex as rx

from sp404_app.components.pads import pad_wave, similar_swap
from sp404_app.pages.projects.controls import confirmed, saving_field, saving_knob
from sp404_app.pages.projects.edit_panel import edit_panel
from sp404_app.state.projects.pads import PadsState

SHEET = PadsState.sheet
SETTINGS = PadsState.sheet.settings
IS_MK2 = PadsState.head.device == "mk2"
GROUPS = [("Off", "0"), *((str(n), str(n)) for n in range(1, 11))]
PLAY_MODES = (
    ("forward", "▷", "Forward"),
    ("reverse", "◁", "Reverse"),
    ("ping_pong", "▷◁", "Ping-pong"),
    ("reverse_ping_pong", "◁▷", "Reverse ping-pong"),
)
ROLLS = [("Off", "0"), *((str(n), str(n)) for n in range(1, 11))]


def inspector() -> rx.Component:
    """The inspector, or what to do when no pad with a sound is chosen."""
    return rx.el.aside(
        rx.cond(
            SHEET.name != "",
            rx.el.div(
                head(), wave(), chopping(), playing(), edit_panel(), class_name="inspector-content"
            ),
            empty(),
        ),
        class_name="inspector",
        aria_label="Pad",
        data_testid="inspector",
    )


def empty() -> rx.Component:
    """What to do with an empty pad."""
    return rx.el.div(
        rx.cond(
            SHEET.key != "",
            rx.fragment(
                rx.el.h2(f"Pad {SHEET.key} is empty"),
                rx.el.p("Drag a sound onto it, or choose one in the list and press Enter."),
                rx.el.button(
                    "Find sounds that fit",
                    type="button",
                    class_name="button",
                    on_click=PadsState.suggest(SHEET.key),
                    data_testid="suggest",
                ),
            ),
            rx.fragment(
                rx.el.h2("Choose a pad"),
                rx.el.p(
                    "Press a pad to play and edit it. ",
                    rx.el.span("Keys 1–4, Q–R, A–F and Z–V play, too.", class_name="for-keyboards"),
                ),
            ),
        ),
        class_name="inspector-empty",
    )


def head() -> rx.Component:
    """Name, facts and link of the sound."""
    return rx.el.header(
        rx.el.h2(f"Pad {SHEET.key}", class_name="visually-hidden"),
        rx.el.div(
            rx.el.span(SHEET.key, class_name="pad-place mono"),
            saving_field(
                value=SHEET.name,
                scope=SHEET.key,
                label="Name of this pad",
                class_name="pad-title touch-target",
                test_id="pad-name",
                on_commit=lambda name: PadsState.rename_pad(name, SHEET.key),
                on_draft=PadsState.preview_name,
            ),
            class_name="row",
        ),
        rx.el.p(
            rx.match(
                SHEET.status,
                ("trashed", "This sound is in the trash. The pad keeps it until it is deleted."),
                ("missing", "The sound of this pad is missing. Put another one on this pad."),
                SHEET.detail,
            ),
            class_name=rx.cond(SHEET.status == "ready", "muted mono small", "field-error"),
            data_testid="pad-detail",
        ),
        rx.cond(
            SHEET.also_on != "",
            rx.el.p(f"Also on {SHEET.also_on}", class_name="muted small", data_testid="also-on"),
        ),
        rx.cond(SHEET.sample_id != "", sound_tools()),
        class_name="inspector-head",
    )


def wave() -> rx.Component:
    """The waveform with its handles."""
    return rx.el.section(
        pad_wave(
            sheet=SHEET,
            confirmed=PadsState.confirmed_edit,
            url=SHEET.url,
            min_frames=rx.cond(IS_MK2, 1000, 4411),
            snap=PadsState.is_snapping,
            chop_keys=PadsState.has_chop_keys,
            on_positions=lambda start, end, top, number: confirmed(
                PadsState.set_positions(start, end, top, SHEET.key), number
            ),
            on_chops=lambda frames, number: confirmed(
                PadsState.set_chops(frames, SHEET.key), number
            ),
        ),
        rx.el.div(
            toggle("Snap to zero", PadsState.is_snapping, PadsState.toggle_snap, "snap"),
            rx.cond(
                SHEET.chop_count > 0,
                rx.fragment(
                    toggle(
                        "Keys play chops",
                        PadsState.has_chop_keys,
                        PadsState.toggle_chop_keys,
                        "chop-keys",
                    ),
                    rx.el.button(
                        "Clear chops",
                        type="button",
                        class_name="chip",
                        on_click=PadsState.set_chops([], SHEET.key),
                        data_testid="clear-chops",
                    ),
                ),
            ),
            class_name="wave-tools",
        ),
        aria_label="Waveform",
    )


def sound_tools() -> rx.Component:
    """Similar sounds, suggestions, and the link to the sound's page."""
    return rx.el.div(
        similar_swap(
            pad_key=SHEET.key,
            sample_id=SHEET.sample_id,
            place=PadsState.similar_place,
            on_step=PadsState.swap_similar,
        ),
        rx.el.button(
            "What fits?",
            type="button",
            class_name="chip",
            title="Suggest other sounds for this pad",
            on_click=PadsState.suggest(SHEET.key),
            data_testid="suggest",
        ),
        rx.el.span(class_name="grow"),
        rx.el.a(
            "Open sound ",
            rx.icon("arrow-up-right"),
            href=f"/samples/{SHEET.sample_id}",
            class_name="open-sound touch-target",
            title=SHEET.sample_name,
        ),
        class_name="sound-tools",
    )


def chopping() -> rx.Component:
    """How to chop the sound of this pad."""
    return rx.el.details(
        rx.el.summary("Chop", data_testid="chop-open"),
        rx.el.div(
            rx.el.label(
                rx.el.span("At"),
                rx.el.select(
                    rx.el.option("Hits", value="transients"),
                    rx.el.option("Equal parts", value="equal"),
                    rx.el.option("Beats", value="grid"),
                    class_name="input",
                    value=PadsState.chop_by,
                    on_change=lambda value: PadsState.set_chop("by", value),
                    data_testid="chop-by",
                ),
                class_name="option",
            ),
            rx.el.label(
                rx.el.span("Up to"),
                rx.el.select(
                    *(rx.el.option(f"{n} parts", value=str(n)) for n in (2, 4, 8, 12, 16)),
                    class_name="input",
                    value=PadsState.chop_parts,
                    on_change=lambda value: PadsState.set_chop("parts", value),
                    data_testid="chop-parts",
                ),
                class_name="option",
            ),
            rx.cond(
                PadsState.chop_by == "transients",
                saving_knob(
                    "Sensitivity",
                    PadsState.chop_percent,
                    0,
                    100,
                    50,
                    unit="%",
                    test_id="chop-sensitivity",
                    on_change=lambda value: PadsState.set_chop("sensitivity", value),
                ),
            ),
            rx.el.div(
                chop_button("Set markers", "markers"),
                chop_button("Spread on pads", "pads"),
                class_name="switches",
            ),
            class_name="options",
        ),
        class_name="chop-panel",
    )


def chop_button(text: str, to: str) -> rx.Component:
    """Button that chops."""
    return rx.el.button(
        text,
        type="button",
        class_name="switch",
        on_click=PadsState.chop(to),
        data_testid=f"chop-to-{to}",
    )


def toggle(text: str, is_on: rx.Var[bool] | bool, handler: Any, test_id: str) -> rx.Component:
    """A button that is on or off."""
    return rx.el.button(
        text,
        type="button",
        class_name=rx.cond(is_on, "chip on", "chip"),
        aria_pressed=is_on,
        on_click=handler,
        data_testid=test_id,
    )


def playing() -> rx.Component:
    """What the device stores for this pad."""
    return rx.el.section(
        rx.el.div(
            setting_switch("Gate", "gate", "Sounds only while the pad is held"),
            setting_switch("Loop", "loop", "Repeats from the loop point"),
            rx.cond(IS_MK2, setting_switch("One-shot", "one_shot", "Always plays to the end")),
            rx.cond(~IS_MK2, setting_switch("Lo-fi", "lofi", "The device's lo-fi effect")),
            play_modes(),
            class_name="switches",
        ),
        rx.el.div(
            setting_knob("Level", "level", 0, 127, 127),
            rx.cond(
                IS_MK2,
                rx.fragment(
                    setting_knob("Pan", "pan", -51, 51, 0, centred=True),
                    setting_knob("Pitch", "pitch", -12, 12, 0, centred=True),
                    setting_knob("Fine", "fine", -100, 100, 0, centred=True),
                    setting_knob("Speed", "speed", 50, 150, 100, unit="%", step=0.1),
                    setting_knob("Attack", "attack", 0, 127, 0),
                    setting_knob("Hold", "hold", 1, 100, 100, unit="%"),
                    setting_knob("Release", "release", 0, 127, 0),
                ),
            ),
            class_name="knobs",
        ),
        rx.cond(IS_MK2, mk2_choices(), sx_choices()),
        aria_label="Playing",
        class_name="inspector-section",
    )


def setting_switch(text: str, name: str, hint: str) -> rx.Component:
    """A setting that is on or off."""
    is_on = SETTINGS[name].to(bool)
    return rx.el.button(
        text,
        type="button",
        class_name=rx.cond(is_on, "switch on", "switch"),
        aria_pressed=is_on,
        title=hint,
        on_click=PadsState.set_setting(name, ~is_on, SHEET.key),
        data_testid=f"set-{name}",
    )


def play_modes() -> rx.Component:
    """The direction in which the pad plays; an SX has forward and reverse."""

    def mode(name: str, symbol: str, text: str) -> rx.Component:
        is_on = SETTINGS["play_mode"].to(str) == name
        return rx.el.button(
            symbol,
            type="button",
            class_name=rx.cond(is_on, "segment on", "segment"),
            aria_pressed=is_on,
            aria_label=text,
            title=text,
            on_click=PadsState.set_setting("play_mode", name, SHEET.key),
            data_testid=f"mode-{name}",
        )

    return rx.el.span(
        mode(*PLAY_MODES[0]),
        mode(*PLAY_MODES[1]),
        rx.cond(IS_MK2, rx.fragment(mode(*PLAY_MODES[2]), mode(*PLAY_MODES[3]))),
        role="group",
        aria_label="Direction",
        class_name="segments",
    )


def setting_knob(text: str, name: str, *scale: float, **look: Any) -> rx.Component:
    """A knob for a numeric setting; `scale` is the lowest, the highest and the standard value."""
    return saving_knob(
        text,
        SETTINGS[name].to(float),
        *scale,
        test_id=f"knob-{name}",
        on_change=lambda value: PadsState.set_setting(name, value, SHEET.key),
        **look,
    )


def mk2_choices() -> rx.Component:
    """Groups, bus, tempo and the other settings of the MKII."""
    return rx.el.div(
        setting_select("Mute group", "mute_group", GROUPS, number=True),
        setting_select("Pad link", "pad_link", GROUPS, number=True),
        setting_select("Bus", "bus", [("Dry", "dry"), ("Bus 1", "1"), ("Bus 2", "2")]),
        setting_select("Roll", "roll", ROLLS, number=True),
        tempo_field(),
        setting_select(
            "Time-stretch",
            "vari",
            [("Off", "off"), ("Backing", "backing"), ("Ensemble", "ensemble")],
        ),
        setting_select(
            "Chromatic", "chromatic", [("Mono", "mono"), ("Legato", "legato"), ("Poly", "poly")]
        ),
        rx.el.div(
            setting_switch("Vinyl", "vinyl", "Pitch and speed change together"),
            setting_switch("BPM sync", "bpm_sync", "Follows the project's tempo"),
            setting_switch("Fixed velocity", "fixed_velocity", "Every hit is equally loud"),
            class_name="switches",
        ),
        class_name="options",
    )


def sx_choices() -> rx.Component:
    """Tempo and file type of the SX."""
    return rx.el.div(
        tempo_field(),
        setting_select(
            "Tempo", "tempo_mode", [("Off", "off"), ("Pattern", "pattern"), ("User", "user")]
        ),
        setting_select("File", "container", [("WAV", "wav"), ("AIFF", "aiff")]),
        class_name="options",
    )


def tempo_field() -> rx.Component:
    """The tempo of the sound on this pad."""
    return rx.el.label(
        rx.el.span("BPM"),
        saving_field(
            value=SHEET.bpm,
            scope=SHEET.key,
            label="BPM of this pad",
            class_name="input mono",
            input_mode="decimal",
            max_length=7,
            test_id="pad-bpm",
            on_commit=lambda bpm: PadsState.set_pad_tempo(bpm, SHEET.key),
        ),
        class_name="option",
    )


def setting_select(
    text: str, name: str, options: Sequence[tuple[str, str]], *, number: bool = False
) -> rx.Component:
    """A choice of values; with `number` the values are integers."""
    handler = PadsState.set_number if number else PadsState.set_setting
    return rx.el.label(
        rx.el.span(text),
        rx.el.select(
            *(rx.el.option(label, value=value) for label, value in options),
            class_name="input",
            value=SETTINGS[name].to_string(use_json=False),
            on_change=lambda value: handler(name, value, SHEET.key),
            data_testid=f"set-{name}",
        ),
        class_name="option",
    )
