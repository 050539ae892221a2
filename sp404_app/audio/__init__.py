"""Pure signal analysis: arrays and files in, frozen dataclasses out; no database, queue or web."""
