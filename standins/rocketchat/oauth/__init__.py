"""Custom OAuth: the providers, their callback, and the users they bring."""
