"""Whether the identity view looks at bearer tokens at all, where no token could be had to ask it with."""

from __future__ import annotations

from dataclasses import dataclass

from besedka.checks.examination import Examination

NOT_TOKEN = "doctor-no-such-token"  # noqa: S105 - nobody's
_DENIED = {401}


@dataclass(frozen=True)
class Ignored:
    """How the view showed that it takes no token of the site: the end of a code, and what was seen."""

    kind: str
    seen: str


def ignored(examination: Examination) -> Ignored | None:
    """Ask with a made-up token; None where the answer is the one of a view that takes tokens.

    A resource that takes bearers names `invalid_token` to a wrong one (RFC 6750, section 3.1);
    django-oauth-toolkit does so in `rest_framework/authentication.py`. Its plain views may answer 403, which
    proves nothing. A view written by hand may say it in its JSON alone.
    """
    mode = examination.contract.provider.identity_token_sent_via
    if mode == "default":
        mode = examination.contract.provider.token_sent_via
    response = examination.site.identity(NOT_TOKEN, mode)
    if response.is_redirect:
        return Ignored("session_only", f"{response.status_code} to a page")
    challenge = response.headers.get("WWW-Authenticate", "")
    if response.status_code in _DENIED and "invalid_token" not in f"{challenge} {response.text}":
        return Ignored("rejected", f"401, WWW-Authenticate: {challenge or 'none'}")
    return None
