"""Make and remove temp_* users, as one JSON object on standard input says."""

import json
import sys

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

# What the JSON calls it -> what the user model calls it. A row that the model has not is left out.
FIELDS = {"username": "kuerzel", "email": "email", "full_name": "anzeigename", "role": "funktion"}


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options):
        asked, people = json.load(sys.stdin), get_user_model()._default_manager
        rows = asked.get("users", [])
        names = [row["username"] for row in rows] + asked.get("usernames", [])
        if strangers := [name for name in names if not name.startswith("temp_")]:
            raise CommandError(f"not temporary: {', '.join(strangers)}")
        if asked["action"] == "ensure_users":
            for row in rows:
                values = {field: row[key] for key, field in FIELDS.items()}
                name = {FIELDS["username"]: row["username"]}
                person = people.filter(**name).first() or people.model(**name)
                for field, value in values.items():
                    setattr(person, field, value)
                person.set_password(row["password"])
                person.save()
        elif asked["action"] == "remove_users":
            people.filter(**{f"{FIELDS['username']}__in": names}).delete()
        else:
            raise CommandError(f"no such action: {asked['action']}")
