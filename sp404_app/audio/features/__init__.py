"""What is measured or read about a sound: tempo, key, class, loop or one-shot, tags, names."""
