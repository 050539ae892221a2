"""Signal analysis: arrays and files in, frozen dataclasses out. No database, queue or web."""
