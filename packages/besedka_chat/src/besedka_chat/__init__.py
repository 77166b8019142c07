"""Rocket.Chat in a Django site's pages, signed in by SSO without a click. Begin with README.md."""
