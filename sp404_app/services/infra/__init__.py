"""Infrastructure of all services: storage, queue, e-mail, events, rate limits, audit log."""
