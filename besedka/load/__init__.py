"""Many people at once on a stack, driven by Locust: `besedka load`."""
