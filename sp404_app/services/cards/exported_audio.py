"""What is known of the audio of an export before it is made: lengths, sizes, refusals, names."""

from typing import Final

from sp404_app.audio.render import length
from sp404_app.devices.mk2.padconf import MAX_CHOPS
from sp404_app.devices.sample_file import SampleFile
from sp404_app.models import SampleStatus
from sp404_app.services.cards.export_content import ExportContent, KnownRender, PadAudio, is_sx
from sp404_app.services.cards.source_file import find_source_file
from sp404_app.services.projects.device_names import device_name
from sp404_app.services.projects.kit import PadContent, PadPosition
from sp404_app.services.projects.pad_edits import source_frames
from sp404_app.services.projects.pad_sizes import BYTES_PER_MONO_FRAME, BYTES_PER_STEREO_FRAME

HEADER_BYTES: Final = {"mk2": 512, "sx": 512, "import": 44}
UNKNOWN: Final = KnownRender()
MISSING = "Sample is missing."
UNDECODABLE = "The sound cannot be decoded."


def source_file(content: ExportContent, at: PadPosition) -> SampleFile | None:
    """Return the layout of the file that a pad was read from, if the export gives it back."""
    audio, pad = content.audio_of(at), content.kit.pads[at]
    if audio is None or content.target.device == "import":
        return None
    found = find_source_file(pad, audio, content.source_of(at))
    is_container_same = (
        not is_sx(content)
        or found is None
        or ((found.byte_order == "big") == (pad.settings["container"] == "aiff"))
    )
    return found if is_container_same else None


def render_of(content: ExportContent, audio: PadAudio) -> KnownRender:
    """Return what is known of a pad's render."""
    return content.renders.get(audio.key, UNKNOWN)


def refusal(content: ExportContent, at: PadPosition) -> str | None:
    """Return why a pad cannot be exported, or None."""
    audio, device = content.audio_of(at), content.kit.device
    if audio is None:
        return MISSING
    if error := render_of(content, audio).error:
        return error
    if audio.sample.status == SampleStatus.FAILED and not audio.sample.duration:
        return audio.sample.error or UNDECODABLE
    frames = exported_frames(content, at)
    if frames is not None and frames > device.max_frames:
        return f"Longer than {device.max_frames // device.rate // 60} minutes."
    return None


def refused_pads(content: ExportContent) -> list[PadPosition]:
    """Return the pads that cannot be exported, in order."""
    return [at for at in sorted(content.kit.pads) if refusal(content, at) is not None]


def audio_frames(content: ExportContent, at: PadPosition) -> int | None:
    """Return the length of a pad's audio in frames; None if only rendering can tell."""
    if read := source_file(content, at):
        return read.frames
    audio = content.audio_of(at)
    known = render_of(content, audio).frames if audio else None
    return known or content.kit.pads[at].frames


def exported_frames(content: ExportContent, at: PadPosition) -> int | None:
    """Return the length of a pad's file in frames; None if only rendering can tell."""
    frames = audio_frames(content, at)
    if frames is None or content.target.device != "import":
        return frames
    first, last = region_of(content.kit.pads[at], frames)
    return max(last - first, content.kit.device.min_frames)


def region_of(pad: PadContent, frames: int) -> tuple[int, int]:
    """Return the frames from start to end of a pad with audio of this length."""
    end = pad.settings["end"]
    last = frames if end is None else min(frames, end)
    return min(pad.settings["start"], last), last


def padded_frames(content: ExportContent, at: PadPosition) -> int:
    """Return how many frames of silence are added to a pad's audio to reach the minimum."""
    audio, device = content.audio_of(at), content.kit.device
    frames = source_frames(audio.sample) if audio else None
    if not audio or frames is None or audio.edit.trim_silence is not None:
        return 0
    if source_file(content, at):  # it is given back as it came
        return 0
    first, last = length.trim_span(audio.edit, frames)
    rate = audio.sample.sample_rate or device.rate
    natural = length.result_frames(audio.edit, last - first, rate, device.rate)
    missing = length.minimum_frames(device.rate) - natural
    if missing <= 0 and content.target.device == "import":
        first, last = region_of(content.kit.pads[at], natural)
        missing = device.min_frames - (last - first)
    return max(0, missing)


def exported_bytes(content: ExportContent, at: PadPosition) -> int | None:
    """Return the size of a pad's file; None if only rendering can tell."""
    audio, frames = content.audio_of(at), exported_frames(content, at)
    if audio is None or frames is None:
        return None
    return HEADER_BYTES[content.target.device] + frames * _frame_bytes(content, audio)


def _frame_bytes(content: ExportContent, audio: PadAudio) -> int:
    channels = render_of(content, audio).channels
    if channels is None:
        channels = 1 if audio.edit.channels != "keep" or audio.sample.channels == 1 else 2
    return BYTES_PER_MONO_FRAME if channels == 1 else BYTES_PER_STEREO_FRAME


def name_on_device(content: ExportContent, at: PadPosition, path: str = "") -> str:
    """Return the name of a pad as the device shows it; without one, that of its file at `path`."""
    if content.target.device == "import":
        return path.rpartition("/")[2]
    if is_sx(content):
        return f"{at.bank_letter}{at.pad:07}"
    return device_name(content.kit.pads[at].name)


def storable_chops(chops: tuple[int, ...]) -> tuple[int, ...]:
    """Return the chops for which a device has room: the start takes the first of its 16 places."""
    return chops if 0 in chops else chops[: MAX_CHOPS - 1]
