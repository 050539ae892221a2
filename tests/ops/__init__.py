"""Slow tests of operation: restarts, drains, recovery, proxies. `make test-ops` runs them."""
