"""Slow tests of operation: restarts, drains, recovery, poolers, proxies. `make test-ops` runs them."""
