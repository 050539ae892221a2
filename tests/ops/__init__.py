"""Slow tests of operation: other servers, poolers, proxies, restarts."""
