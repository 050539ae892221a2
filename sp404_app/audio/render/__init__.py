"""Render the audio of a pad, as 16-bit PCM at the device's rate; write sounds as WAV and FLAC."""
