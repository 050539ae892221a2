"""Plans, subscription, usage, and the admin's billing page."""
