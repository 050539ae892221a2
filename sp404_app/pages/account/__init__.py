"""The account page: profile, security, personal data."""
