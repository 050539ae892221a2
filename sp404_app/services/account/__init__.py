"""An account's data: preferences, avatar, export, deletion, demo and admin."""
