"""Accounts, passwords, sessions, tokens and two-factor authentication."""
