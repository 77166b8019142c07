"""Open the site: tables, the members of the contract, and the chat as an OAuth client; JSON on standard input."""

import json
import sys

from django.core.management import call_command
from django.core.management.base import BaseCommand

from verein.models import Anwendung, Mitglied


class Command(BaseCommand):
    help = __doc__

    def handle(self, **options):
        asked = json.load(sys.stdin)
        call_command("migrate", run_syncdb=True, verbosity=0)
        for row in asked["members"]:
            password = row.pop("password")
            member = Mitglied(**row)
            member.set_password(password)
            member.save()
        Anwendung.objects.create(
            name="Plausch",
            client_type=Anwendung.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Anwendung.GRANT_AUTHORIZATION_CODE,
            skip_authorization=True,
            **asked["application"],
        )
