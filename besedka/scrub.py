"""Takes secrets out of evidence: passwords, client secrets, tokens, codes and session cookies."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

MASK = "***"

_SECRET_QUERY = {
    "access_token",
    "code",
    "credentialSecret",
    "credentialToken",
    "resumeToken",
    "state",
    "token",
}
# JSON and EJSON-in-JSON (quotes escaped once), form bodies, cookies and headers.
_NAMES = (
    "access_token|refresh_token|authToken|loginToken|login_token|accessToken|credentialSecret|"
    "credentialToken|resume|token|hashedToken|client_secret|password|digest|csrfmiddlewaretoken|"
    "besedka_session|besedka_csrf|rc_token|Meteor\\.loginToken|x-auth-token|authorization|cookie|set-cookie"
)
_JSON_VALUE = re.compile(
    rf'(\\*"(?:{_NAMES})\\*"\s*:\s*\\*")([^"\\]+)'.encode(),
    re.IGNORECASE,
)
_HEADER_ROW = re.compile(
    rb'("name"\s*:\s*"(?:x-auth-token|authorization|cookie|set-cookie|besedka_session|besedka_csrf|rc_token'
    rb'|Meteor\.loginToken)"\s*,\s*"value"\s*:\s*")([^"]+)',
    re.IGNORECASE,
)
_PAIR = re.compile(
    rb"((?:[?&;\s]|^|%3F|%26)(?:access_token|code|resumeToken|besedka_session|besedka_csrf|csrfmiddlewaretoken|"
    rb"rc_token|password|client_secret)=)([^&;\s\"'<>\\]+)",
    re.IGNORECASE,
)


class Scrubber:
    """Masks known secrets and everything that looks like a token, in texts, addresses and trace archives."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form.encode() for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        self._known = sorted(known, key=len, reverse=True)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.data(text.encode()).decode()

    def data(self, data: bytes) -> bytes:
        """The bytes without secrets; the length changes."""
        for secret in self._known:
            data = data.replace(secret, MASK.encode())
        for pattern in (_JSON_VALUE, _HEADER_ROW, _PAIR):
            data = pattern.sub(rb"\g<1>" + MASK.encode(), data)
        return data

    def url(self, url: str) -> str:
        """The address with codes and tokens masked, so that a URL chain can be shown."""
        parts = urlsplit(url)
        query = [
            (name, MASK if name in _SECRET_QUERY else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        return self.text(urlunsplit(parts._replace(query=urlencode(query, safe="*:/"))))

    def zip_file(self, path: Path) -> None:
        """Rewrite an archive (a Playwright trace) with every entry scrubbed; images stay as they are."""
        scrubbed = path.with_suffix(".scrubbed")
        with (
            zipfile.ZipFile(path) as source,
            zipfile.ZipFile(scrubbed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
        ):
            for entry in source.infolist():
                data = source.read(entry)
                image = entry.filename.endswith((".jpeg", ".jpg", ".png"))
                target.writestr(entry, data if image else self.data(data))
        scrubbed.replace(path)
