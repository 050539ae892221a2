"""State of the development pages."""
