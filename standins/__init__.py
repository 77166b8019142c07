"""Stand-ins: small servers for where Rocket.Chat or MongoDB cannot run. They say so wherever they are met."""
