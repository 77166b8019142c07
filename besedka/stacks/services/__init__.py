"""The programs that an embedded stack runs: databases, Rocket.Chat from a bundle, the site."""
