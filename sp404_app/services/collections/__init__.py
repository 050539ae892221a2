"""Collections of samples: manual ones with an order, smart ones with rules."""
