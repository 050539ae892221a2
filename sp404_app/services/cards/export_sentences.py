"""What an export changes of a pad, and what a person should know about it, as sentences."""

from typing import Final

from sp404_app.audio.render.edit import Edit, edit_to_json
from sp404_app.devices.capabilities import Device
from sp404_app.devices.pad_settings import DEFAULTS, is_reverse, unstored_settings
from sp404_app.models import Sample
from sp404_app.services.cards import exported_audio
from sp404_app.services.cards.export_content import ExportContent, PadAudio, is_sx
from sp404_app.services.projects.kit import PadContent, PadPosition

EDIT_WORDS: Final = {
    "channels": "channels",
    "trim": "trim",
    "trim_silence": "silence trimmed",
    "reverse": "reversed",
    "pitch": "pitch",
    "stretch": "stretch",
    "stretch_to_bpm": "stretch",
    "resample_trick": "resample trick",
    "normalise": "level",
    "gain_db": "level",
    "fade_in": "fades",
    "fade_out": "fades",
}
LOSSLESS: Final = ("WAV", "AIFF", "FLAC", "SMP")
DEPTHS: Final = ("float", "double")
# Of a pad's settings, an import pack contains these as audio, and what only informs is no loss.
BAKED: Final = frozenset({"start", "end", "play_mode", "loop_top"})
INFORMING: Final = frozenset({"bpm", "lofi", "tempo_mode", "user_bpm", "container"})
TRICK_SETTINGS: Final = frozenset({"pitch", "fine", "speed"})


def changes_of(content: ExportContent, at: PadPosition, path: str) -> list[str]:
    """Return what the export changes of a pad; `path` is that of its file in an import pack."""
    audio, device = content.audio_of(at), content.kit.device
    changes = _move(content, at)
    if audio:
        changes += _format_change(audio.sample, device)
        changes += _edit_change(audio.edit)
        changes += _padding(content, at)
    changes += _name_change(content, at, path)
    if content.target.device == "import":
        changes += _baked(content, at)
    elif not is_sx(content):
        changes += _chops(content.kit.pads[at])
    return changes + _converted(content, at)


def warnings_of(content: ExportContent, at: PadPosition) -> list[str]:
    """Return what a person should know about a pad before the export."""
    pad, audio = content.kit.pads[at], content.audio_of(at)
    warnings: list[str] = []
    if audio and audio.sample.deleted_at:
        warnings.append("The sample is in the trash.")
    if audio and (held := exported_audio.render_of(content, audio).frames_held):
        frames = "1 frame" if held == 1 else f"{held:,} frames"
        warnings.append(f"Peaks are held at −0.1 dBFS ({frames}).")
    if content.target.device == "import":
        return warnings + _not_in_wav(pad, audio)
    names = unstored_settings(pad.settings, content.kit.device.kind)
    if pad.chops and is_sx(content):
        names.append("chops")
    if names:
        title = content.kit.device.title
        warnings.append(f"Not stored by the {title}: {_listed(names)}.")
    return warnings


def _move(content: ExportContent, at: PadPosition) -> list[str]:
    device = content.kit.device
    if content.origins[at] == at:
        return []
    return [f"Moved to {at}: the {device.title} has {device.pads_per_bank} pads in a bank."]


def _format_change(sample: Sample, device: Device) -> list[str]:
    """Return what becomes of rate and depth: the device takes one rate, and 16 bit."""
    if not sample.sample_rate:
        return []
    container, _, depth = sample.format.partition(" ")
    rate, target = f"{sample.sample_rate / 1000:g} kHz", f"{device.rate / 1000:g} kHz, 16 bit"
    if depth.endswith("-bit") or depth.casefold() in DEPTHS:
        source = f"{rate}, {depth.replace('-', ' ')}"
    else:
        source = f"{sample.format}, {rate}" if sample.format else rate
    is_kept = source == target and container in LOSSLESS
    return [] if is_kept else [f"{source} becomes {target}."]


def _edit_change(edit: Edit) -> list[str]:
    words = dict.fromkeys(EDIT_WORDS[name] for name in edit_to_json(edit))
    return [f"Edits are rendered: {', '.join(words)}."] if words else []


def _padding(content: ExportContent, at: PadPosition) -> list[str]:
    frames = exported_audio.padded_frames(content, at)
    milliseconds = max(1, round(1000 * frames / content.kit.device.rate))
    return [f"Padded with {milliseconds} ms of silence."] if frames else []


def _name_change(content: ExportContent, at: PadPosition, path: str) -> list[str]:
    """Return the new name, if another character or its length changed it."""
    if is_sx(content):
        return []
    shown = exported_audio.name_on_device(content, at, path)
    plain = shown.removesuffix(".wav")[3:] if content.target.device == "import" else shown
    return [] if plain == content.kit.pads[at].name else [f"Named “{shown}”."]


def _chops(pad: PadContent) -> list[str]:
    if len(exported_audio.storable_chops(pad.chops)) == len(pad.chops):
        return []
    return ["The last chop is left out: the start is the first of 16."]


def _baked(content: ExportContent, at: PadPosition) -> list[str]:
    """Return what an import pack bakes into the audio."""
    pad, rate = content.kit.pads[at], content.kit.device.rate
    frames = exported_audio.audio_frames(content, at)
    baked: list[str] = []
    if pad.settings["start"] or pad.settings["end"] is not None:
        text = "Cut to its start and end"
        if frames is not None:
            first, last = exported_audio.region_of(pad, frames)
            text += f": {(last - first) / rate:.2f} s of {frames / rate:.2f} s"
        baked.append(f"{text}.")
    if is_reverse(pad.settings):
        baked.append("Reversed.")
    return baked


def _converted(content: ExportContent, at: PadPosition) -> list[str]:
    """Return what the conversion to another device changed."""
    origin = content.origins[at]
    place = (origin.bank_letter, origin.pad)
    return [
        each.what
        for each in content.differences
        if each.kind == "changed" and (each.bank, each.pad) == place
    ]


def _not_in_wav(pad: PadContent, audio: PadAudio | None) -> list[str]:
    """Return the settings of a pad that are neither in a WAV file nor baked into its audio."""
    trick = audio.edit.resample_trick if audio else None
    ignored = BAKED | INFORMING | (TRICK_SETTINGS if trick else frozenset())
    settings = {
        name: value
        for name, value in pad.settings.items()
        if name not in ignored and value != DEFAULTS.get(name)
    }
    if str(pad.settings["play_mode"]).endswith("ping_pong"):
        settings["play_mode"] = "ping_pong"
    if pad.chops:
        settings["chops"] = len(pad.chops)
    listed = [f"{name} {_setting_value(value)}" for name, value in settings.items()]
    lost = [f"A WAV file has no settings. Set on the device: {_listed(listed)}."] if listed else []
    if trick:
        lost.append(f"Set its pitch to {-trick:+g} semitones on the device: resample trick.")
    return lost


def _setting_value(value: object) -> str:
    return ("off", "on")[value] if isinstance(value, bool) else f"{value}"


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in sorted(names))
