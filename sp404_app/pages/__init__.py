"""Reflex pages by feature; each feature lists its URLs in `routes`, `pages.routes` all of them."""
