"""Slow tests of operation: restarts, recovery, poolers, proxies. `make test-ops` runs them."""
