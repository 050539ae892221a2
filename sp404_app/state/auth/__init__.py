"""State of the pages for sign-in, sign-up, mailed links, two-factor authentication and tokens."""
