"""The running services: embedded, in containers, or somebody else's."""
