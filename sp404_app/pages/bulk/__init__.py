"""Dialogs of bulk edits, which the library shows."""
