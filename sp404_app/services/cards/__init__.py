"""Cards: export of projects, reading of cards, comparison and repair."""
