"""Page objects: the site's log-in, the two chat pages, and Rocket.Chat inside its frame."""
