"""The commands of `besedka`, one module each."""
