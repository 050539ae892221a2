"""What the sample page shows: details, waveforms, spectrograms, similar sounds, duplicates."""
