"""The sample library: upload, list, search, change, tag, delete."""
