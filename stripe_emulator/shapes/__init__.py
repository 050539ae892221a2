"""Every object with every key that its version of the API promises."""
