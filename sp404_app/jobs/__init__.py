"""RQ jobs, and the worker and scheduler processes that run and queue them."""
