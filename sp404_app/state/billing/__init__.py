"""State of the plans, billing, usage and billing admin pages."""
