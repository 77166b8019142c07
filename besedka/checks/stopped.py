"""Who refuses a request before the view that should answer it, by the status: a proxy or a firewall."""

from __future__ import annotations

from besedka.checks.examination import gateway, redirected

_VERB = (
    "Something refuses POST before the view does: a proxy for reading alone (limit_except), a firewall, or a "
    "view that knows GET alone. Let POST pass."
)
_CSRF = "The view refuses programs by its CSRF protection: spare it (csrf_exempt), as TokenView does."
_BY_STATUS = {
    403: "A firewall or a list of addresses refuses it before the view: let programs POST there.",
    405: _VERB,
    411: "A proxy wants a Content-Length: let it pass on what comes in pieces, or buffer it.",
    413: "A proxy finds the body too large, which is some hundred bytes: raise client_max_body_size.",
    415: "The view takes no form: Rocket.Chat sends application/x-www-form-urlencoded.",
    429: "A limit refuses Rocket.Chat's server, which asks for everybody: spare this address.",
    501: _VERB,
}


def by_status(status: int, text: str = "", location: str = "", address: str = "") -> tuple[str, ...]:
    """What a person does about that answer to a program's POST; nothing where the status tells nothing."""
    if moved := redirected(status, location, address):
        return moved
    if by_proxy := gateway(status, text):
        return by_proxy
    if status == 403 and "csrf" in text.lower():
        return (_CSRF,)
    return (_BY_STATUS[status],) if status in _BY_STATUS else ()
