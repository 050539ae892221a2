"""What every service stands on: storage, queue, email, events, rate limits, audit log."""
