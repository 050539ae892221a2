"""Stripe's billing logic: subscriptions, invoices and payments, and their changes over time."""
