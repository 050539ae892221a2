"""The command line, `python -m sp404_app`: one module per group of commands."""
