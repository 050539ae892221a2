"""The sample library: upload, list, search, edit, tag and delete samples."""
