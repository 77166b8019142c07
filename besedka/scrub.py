"""Takes secrets out of what is kept or printed: passwords, client secrets, tokens, codes and cookies.

A known secret is found in every encoding that the chain uses. These are percent and JSON (once and twice
each), form, HTML, and base64 at each offset. The SHA-256 that Rocket.Chat takes for a password is another.
What is not known is found by its name (`token=`, `"authToken":`, `Cookie:`) or its form (a bcrypt hash).
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit, urlunsplit

MASK = "***"
# A shorter secret would be found in every other word, and blotted out of it.
SECRET_CHARACTERS = 4
# A shorter cookie is no session: it is a language or a flag.
COOKIE_CHARACTERS = 8

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
    "credentialToken|resume|token|hashedToken|client_secret|password|digest|bcrypt|csrfmiddlewaretoken|"
    "rc_token|Meteor\\.loginToken|x-auth-token|x-2fa-code|authorization|cookie|set-cookie"
)
_SECRET_NAMES = {name.replace("\\", "").lower() for name in (*_NAMES.split("|"), *_SECRET_QUERY)}
_JSON_VALUE = re.compile(
    rf'(\\*"(?:{_NAMES})\\*"\s*:\s*\\*")([^"\\]+)'.encode(),
    re.IGNORECASE,
)
_HEADER_ROW = re.compile(
    rb'("name"\s*:\s*"(?:x-auth-token|x-2fa-code|authorization|cookie|set-cookie|rc_token'
    rb'|Meteor\.loginToken)"\s*,\s*"value"\s*:\s*")([^"]+)',
    re.IGNORECASE,
)
# `&` and `?` of an address, as they are or percent-encoded any number of times, as inside `next=`; the value
# ends with the encoding it stands in.
_PAIR = re.compile(
    rb"((?:[?&;]|\\u0026|%(?:25)*(?:3F|26))(?:"
    + "|".join(_SECRET_QUERY).encode()
    + rb")(?:=|%(?:25)*3D))((?:(?!%(?:25)*26)[^&;\s\"'<>\\])+)",
    re.IGNORECASE,
)
_WORD = re.compile(
    rb"((?:[\s{(,]|^|[?&;]|%(?:25)*(?:3F|26))(?:access_token|refresh_token|resumeToken|csrfmiddlewaretoken|"
    rb"rc_token|password|client_secret)=)([^&;\s\"'<>\\]+)",
    re.IGNORECASE,
)
_COOKIES = re.compile(rb"((?:^|[\s\"'])(?:set-)?cookie:\s*)([^\r\n\"']+)", re.IGNORECASE)
_BEARER = re.compile(rb"\b((?:Bearer|Basic)(?:\s|%20)+)([\w.+/=~-]{8,})")
_HASH = re.compile(
    rb"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\b(?:pbkdf2_sha\d+|argon2|bcrypt(?:_sha256)?|scrypt|md5)\$[^\s\"'\\<>]+"
)
_DATABASE = re.compile(
    rb"\b((?:postgres(?:ql)?|postgis|pgsql|mongodb(?:\+srv)?|mysql\w*|mariadb|rediss?|amqps?):/{1,2})[^\s\"'<>]*@"
)
_WEB = re.compile(rb"\b(https?://)[^\s/?#@\"'<>]*:[^\s/?#@\"'<>]*@")
_NAMED = (_JSON_VALUE, _HEADER_ROW, _PAIR, _WORD, _COOKIES, _BEARER)


class Scrubber:
    """Masks known secrets and everything that looks like a token, in texts, addresses and trace archives."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: list[bytes] = []
        self._texts: set[str] = set()
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Mask these too, from now on."""
        new = {secret for secret in secrets if len(secret) >= SECRET_CHARACTERS} - self._texts
        if new:
            self._texts |= new
            forms = {form for secret in new for form in _forms(secret)}
            self._known = sorted(forms.union(self._known), key=len, reverse=True)

    def learn_cookies(self, values: Iterable[str]) -> None:
        """Mask the values of cookies, whatever their names: any of them may be a session."""
        self.learn(value.strip('"') for value in values if len(value) >= COOKIE_CHARACTERS)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self.data(text.encode(errors="surrogateescape")).decode(errors="surrogateescape")

    def data(self, data: bytes) -> bytes:
        """The bytes without secrets; the length changes."""
        for secret in self._known:
            data = data.replace(secret, MASK.encode())
        for pattern in (*_NAMED, _DATABASE, _WEB):
            mark = MASK.encode() + (b"@" if pattern in {_DATABASE, _WEB} else b"")
            data = pattern.sub(rb"\g<1>" + mark, data)
        return _HASH.sub(MASK.encode(), data)

    def named(self, name: str, value: str) -> str:
        """The value of a header, cookie or query of that name, without secrets."""
        if name.lower() in _SECRET_NAMES:
            return MASK
        return self.url(value) if "://" in value else self.text(value)

    def url(self, url: str) -> str:
        """The address with codes and tokens masked, so that a URL chain can be shown."""
        parts = urlsplit(url)
        query = [
            (name, MASK if name in _SECRET_QUERY else value)
            for name, value in parse_qsl(parts.query, keep_blank_values=True)
        ]
        return self.text(urlunsplit(parts._replace(query=urlencode(query, safe="*:/"))))

    def zip_file(self, path: Path) -> None:
        """Rewrite an archive (a Playwright trace) with every entry scrubbed; images stay as they are.

        The cookies that the archive itself names are learnt first.
        """
        scrubbed = path.with_suffix(".scrubbed")
        with (
            zipfile.ZipFile(path) as source,
            zipfile.ZipFile(scrubbed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target,
        ):
            for name in source.namelist():
                if name.endswith(".network"):
                    self.learn_cookies(_cookies(source.read(name)))
            for entry in source.infolist():
                data = source.read(entry)
                image = entry.filename.endswith((".jpeg", ".jpg", ".png"))
                target.writestr(entry, data if image else self.data(data))
        scrubbed.replace(path)


def without_credentials(text: str) -> str:
    """The text without name and password of any address in it. An address that was read as a path counts."""
    data = text.encode(errors="surrogateescape")
    for pattern in (_DATABASE, _WEB):
        data = pattern.sub(rb"\g<1>" + MASK.encode() + b"@", data)
    return data.decode(errors="surrogateescape")


def _cookies(network: bytes) -> Iterator[str]:
    """Values of all cookies in a trace's record of the network: a JSON row for each request, in the terms of
    HTTP Archive 1.2."""
    for line in network.splitlines():
        row = json.loads(line).get("snapshot", {})
        for side in ("request", "response"):
            for cookie in row.get(side, {}).get("cookies", ()):
                yield str(cookie["value"])


def _forms(secret: str) -> Iterator[bytes]:
    """The secret in every encoding in which it may be met."""
    raw = secret.encode(errors="surrogateescape")
    yield raw
    for quoted in (quote(raw, safe=""), quote(raw, safe="/"), quote_plus(raw)):
        for form in (quoted, re.sub("%..", lambda code: code[0].lower(), quoted)):
            yield form.encode()
            yield quote(form, safe="").encode()
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield once.encode(errors="surrogateescape")
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1].encode(errors="surrogateescape")
    yield html.escape(secret).encode(errors="surrogateescape")
    yield hashlib.sha256(raw).hexdigest().encode()
    if len(raw) >= COOKIE_CHARACTERS:
        for offset in range(3):
            # What stands before and after shares a character with the secret at either end.
            padded = base64.b64encode(b"\0" * offset + raw)
            inner = padded[(0, 2, 3)[offset] :].rstrip(b"=")
            inner = inner if (offset + len(raw)) % 3 == 0 else inner[:-1]
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))
