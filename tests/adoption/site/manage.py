"""A club's site, deliberately unlike `web/`: somebody else's, with a chat of its own."""

import os
import sys

# Where the tests keep the Django of this site, so that it need not be theirs.
sys.path.insert(0, os.environ.get("VEREIN_DJANGO", ""))

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "verein.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
