"""The items of `python -m sp404_app check`, which docs/GO-LIVE.md explains."""
