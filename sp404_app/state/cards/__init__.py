"""State of the pages and dialogs about cards."""
