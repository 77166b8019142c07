"""ASGI entry: `daphne -b 127.0.0.1 -p 8001 config.asgi:application`, run in web/."""

from __future__ import annotations

import os

from daphne.access import AccessLogGenerator
from django.core.asgi import get_asgi_application


def _keep_no_access_log(
    _generator: AccessLogGenerator, _protocol: str, _action: str, _details: object
) -> None:
    """Write nothing; config.middleware.AccessLogMiddleware writes a line without query values."""


# Daphne's own access log prints whole query strings, OAuth codes among them, and no setting of Daphne's
# leaves them out. The class is shared with daphne.cli, which makes its instance after this import.
AccessLogGenerator.__call__ = _keep_no_access_log

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_asgi_application()
