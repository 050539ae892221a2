"""Pages of plans, billing, usage, and the billing admin."""
