"""Audio files: headers, decoding, transcoding, content hashes and waveform peaks."""
