"""Projects: banks of pads with samples, their settings, edits, undo history and rendered audio."""
