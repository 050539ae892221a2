"""State of bulk edits: the dialog, its progress, and the recent edits."""
