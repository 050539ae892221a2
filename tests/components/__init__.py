"""The parts that run in a browser, each by itself."""
