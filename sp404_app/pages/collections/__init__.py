"""/collections: the list of collections, and the page of one."""
