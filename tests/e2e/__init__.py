"""Browser tests of the running product; a package, so that its fixtures apply to it only."""
