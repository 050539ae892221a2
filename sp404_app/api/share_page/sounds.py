"""The sounds of a shared sample or collection: play button, waveform, numbers."""

from collections.abc import Callable, Sequence
from typing import Final

from sp404_app.api.share_page.markup import Html, element, join
from sp404_app.services.sharing.shared_content import SharedContent, SharedSound

BASE64URL: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
WAVE_HEIGHT: Final = 100  # units of the drawing
ICON: Final = "M8 5v14l11-7z"
PAUSE: Final = "M7 5h4v14H7zM13 5h4v14h-4z"


def one_sound(content: SharedContent) -> Html:
    """Return the player of one sound, with a waveform to seek in."""
    sound = content.sounds[0]
    wave = content.wave or tuple((-height, height) for height in _heights(sound.bars))
    length = _clock(sound.seconds)
    return element(
        "section",
        _play_button(sound),
        element(
            "div",
            _wave(wave),
            class_="share-wave",
            role="slider",
            tabindex=0,
            aria_label="Playback position",
            aria_valuemin=0,
            aria_valuemax=100,
            aria_valuenow=0,
            aria_valuetext="0:00",
            data_testid="seek",
        ),
        element(
            "p",
            element("span", "0:00", data_elapsed=True),
            f" / {length}",
            class_="mono share-clock",
        ),
        class_="share-sound card",
        data_sound=sound.number,
    )


def sound_list(content: SharedContent, actions: Callable[[SharedSound], Html | None]) -> Html:
    """Return the list of a collection's sounds; `actions` gives the buttons of one of them."""
    if not content.sounds:
        return element("p", "This collection is empty.", class_="muted")
    rows = (_row(sound, actions(sound)) for sound in content.sounds)
    return element("ol", *rows, class_="share-list")


def sound_data(content: SharedContent, path: str) -> list[dict[str, object]]:
    """Return what the script needs to play each sound."""
    return [
        {
            "number": sound.number,
            "seconds": sound.seconds,
            "url": f"{path}/audio/{sound.number}?v={sound.version}",
        }
        for sound in content.sounds
    ]


def describe(sound: SharedSound) -> str:
    """Return tempo, key and length in one line."""
    parts = (
        f"{sound.bpm:g} BPM" if sound.bpm else "",
        f"{sound.key} ({sound.camelot})" if sound.key else "",
        _clock(sound.seconds) if sound.seconds >= 10 else f"{sound.seconds:.2f} s",
    )
    return " · ".join(part for part in parts if part)


def mini_wave(bars: str, class_: str = "") -> Html:
    """Return the small waveform of a row or pad, as `components/waveforms.jsx` draws it."""
    path = "".join(
        f"M{2 * index + 1} {12 - half:.1f}V{12 + half:.1f}"
        for index, half in enumerate(max(0.5, 11 * height) for height in _heights(bars))
    )
    return element(
        "svg",
        element("path", d=path),
        class_=f"mini-wave {class_}".strip(),
        viewBox=f"0 0 {2 * len(bars)} 24",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _row(sound: SharedSound, actions: Html | None) -> Html:
    return element(
        "li",
        _play_button(sound),
        mini_wave(sound.bars),
        element(
            "div",
            element("strong", element("bdi", sound.name), class_="share-name"),
            element("span", describe(sound), class_="mono muted"),
            class_="share-row-text",
        ),
        element("div", actions, class_="share-row-actions") if actions else None,
        class_="share-row",
        data_sound=sound.number,
    )


def _play_button(sound: SharedSound) -> Html:
    return element(
        "button",
        element(
            "svg",
            element("path", d=ICON, class_="icon-play"),
            element("path", d=PAUSE, class_="icon-pause"),
            viewBox="0 0 24 24",
            fill="currentColor",
            aria_hidden="true",
        ),
        type="button",
        class_="play-button",
        aria_label=f"Play {sound.name}",
        aria_pressed="false",
        data_play=True,
        data_testid="play",
    )


def _wave(points: Sequence[tuple[float, float]]) -> Html:
    """Return the waveform twice: what was played is drawn over it in another colour."""
    half = WAVE_HEIGHT / 2
    path = "".join(
        f"M{index} {half - max(0.01, high) * half:.1f}V{half - min(-0.01, low) * half:.1f}"
        for index, (low, high) in enumerate(points)
    )
    drawn = element("path", d=path)
    box = f"-0.5 0 {max(1, len(points))} {WAVE_HEIGHT}"
    return join(
        *(
            element(
                "svg",
                drawn,
                class_=name,
                viewBox=box,
                preserveAspectRatio="none",
                aria_hidden="true",
            )
            for name in ("wave-all", "wave-played")
        )
    )


def _heights(bars: str) -> list[float]:
    return [max(0, BASE64URL.find(letter)) / 63 for letter in bars]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"
