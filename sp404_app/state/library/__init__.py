"""State of the library page: list, search, selection, bulk actions."""
