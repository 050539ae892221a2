"""Signal processing that knows nothing of music: filters, STFT, loudness, onsets, pitch, chroma."""
