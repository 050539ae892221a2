"""Pages that exist in development only: the mail outbox and the Stripe emulator's controls."""
