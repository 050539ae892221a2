"""Features of a sample: tempo, key, class, loop or one-shot, and hints from tags and file names."""
