"""Pages and dialogs about cards."""
