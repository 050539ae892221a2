"""What one browser tab remembers. Handlers identify the person, call a service, show the result."""
