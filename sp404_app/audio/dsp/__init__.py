"""Digital signal processing: filters, STFT, loudness, onset strength, pitch and chroma."""
