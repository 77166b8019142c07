"""Stand-ins: small servers used only where Rocket.Chat or MongoDB cannot run. They say so wherever they are met."""
