"""Plans, subscriptions and invoices: Stripe is the truth, our tables are a mirror of it."""
