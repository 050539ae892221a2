"""State of the collection pages, and of the dialogs that add sounds to collections."""
