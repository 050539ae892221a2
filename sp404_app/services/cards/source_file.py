"""Whether an export gives the audio file of a pad back as it came from the card."""

from struct import unpack_from

from sp404_app.devices.capabilities import DeviceKind
from sp404_app.devices.device_pad import HEADER_BYTES, MAX_FILE_BYTES
from sp404_app.devices.errors import InvalidDeviceFile
from sp404_app.devices.mk2 import smp
from sp404_app.devices.sample_file import SampleFile
from sp404_app.devices.sx import aiff
from sp404_app.models import PadSource
from sp404_app.services.cards import device_audio
from sp404_app.services.cards.export_content import PadAudio
from sp404_app.services.projects.kit import PadContent
from sp404_app.services.projects.pad_edits import source_frames


def find_source_file(
    pad: PadContent, audio: PadAudio, source: PadSource | None
) -> SampleFile | None:
    """Return the layout of the file that a pad was read from, if its bytes can be given back.

    None if the pad's audio was changed, or if the device may refuse the file.
    """
    if source is None or pad.edit or source.sample_id != audio.sample.id:
        return None
    found, sample = parse_source(source), audio.sample
    if found is None or not found.frames:
        return None
    same = (found.frames, found.channels, found.rate)
    return found if same == (source_frames(sample), sample.channels, sample.sample_rate) else None


def parse_source(source: PadSource) -> SampleFile | None:
    """Return the layout of the file that a pad was read from; None if it cannot be written again.

    The header may not promise more bytes than there are.
    """
    header, device = source.audio_header, DeviceKind(source.device)
    try:
        found = device_audio.parse_sample_header(header, MAX_FILE_BYTES, device)
    except InvalidDeviceFile:
        return None
    if device is DeviceKind.MK2 and not smp.is_hash_right(header):
        return None
    size = HEADER_BYTES + found.pcm_bytes + len(source.audio_tail or b"")
    return found if _promised_bytes(header) <= size else None


def _promised_bytes(header: bytes) -> int:
    """Return the size of the file that a header tells, by its outer and its inner length."""
    if header[:4] == b"RIFF":
        outer, pcm_bytes = unpack_from("<I", header, 4)[0], unpack_from("<I", header, 508)[0]
    else:
        outer, pcm_bytes = unpack_from(">I", header, 4)[0], 0
    if header[:4] == b"FORM":
        pcm_bytes = aiff.declared_pcm_bytes(header)
    return max(outer + 8, HEADER_BYTES + pcm_bytes)
