"""Plans, subscriptions, invoices and quotas; Stripe is authoritative, our tables mirror it."""
