"""State of the plan, billing, usage and billing admin pages."""
