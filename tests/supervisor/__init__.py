"""Tests of real processes; a package, so that its fixtures apply to it only."""
