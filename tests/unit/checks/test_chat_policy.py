"""What a policy keeps the chat's page from; Rocket.Chat's own keeps it from nothing."""

from __future__ import annotations

import pytest

from besedka.checks.chat_policy import refused
from besedka.checks.content_policy import policies

_LOOPBACK, _PLAIN, _SAFE = "http://127.0.0.1:3000", "http://chat.test", "https://chat.test"


@pytest.mark.parametrize(
    ("chat", "header", "severity"),
    [
        # cors.ts, 6.x and 7.x.
        (
            _PLAIN,
            "default-src 'self'; connect-src *; frame-src *; img-src * data: blob:; "
            "script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'",
            None,
        ),
        (_PLAIN, "img-src *", None),
        (_PLAIN, "script-src 'self'", "broken"),
        (_PLAIN, "script-src 'self' 'sha256-x'", "broken"),
        (_PLAIN, "style-src 'self' 'sha256-x'", None),
        (_PLAIN, "script-src-elem 'self'; script-src 'self' 'unsafe-eval'", None),
        (_PLAIN, "script-src 'none'", "broken"),
        (_PLAIN, "require-trusted-types-for 'script'", "broken"),
        (_PLAIN, "style-src 'self'", "risk"),
        (_PLAIN, "connect-src http:", "risk"),
        (_PLAIN, "connect-src http://chat.test", "risk"),
        (_PLAIN, "connect-src http://chat.test ws://chat.test", None),
        (_PLAIN, "connect-src http: ws:", None),
        (_PLAIN, "connect-src 'self'", None),
        (_PLAIN, "connect-src chat.test", None),
        (_SAFE, "connect-src https://chat.test wss://chat.test", None),
        (_SAFE, "connect-src https: wss:", None),
        (_SAFE, "connect-src https:", "risk"),
        (_LOOPBACK, "connect-src http://127.0.0.1:3000 ws://127.0.0.1:3000", None),
        (_PLAIN, "connect-src https://elsewhere.test", "broken"),
        (_PLAIN, "upgrade-insecure-requests", "broken"),
        (_SAFE, "upgrade-insecure-requests", None),
        (_LOOPBACK, "upgrade-insecure-requests", None),
    ],
)
def test_what_a_policy_keeps_the_chat_from(chat: str, header: str, severity: str | None) -> None:
    (policy,) = policies([header])
    found = refused(chat, policy, "GET /")
    assert [one.severity.value for one in found] == ([severity] if severity else [])
