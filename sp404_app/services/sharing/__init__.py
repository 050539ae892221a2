"""Public links: what owners share, what visitors see, counts, saving, and reports of abuse."""
