"""Rocket.Chat as seen from outside: REST client, database, provider settings."""
