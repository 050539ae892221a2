"""What happens to money and subscriptions, and when."""
