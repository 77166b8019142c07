"""What a run came to: `run.json`, and the page made of it."""
