"""Render the audio of a pad: an edit applied to a sound, as 16-bit PCM at the device's rate."""
