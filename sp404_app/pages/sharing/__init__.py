"""Public links for their owners and for operators. The page of a link itself is in `api`."""
