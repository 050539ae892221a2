"""Tests of JavaScript components in a browser, each component alone."""
