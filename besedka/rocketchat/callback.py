"""OAuth through Rocket.Chat's callback, from a client's side: the state it sends, the result it reads."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import Any

from besedka.contract import Contract

_RESULT = re.compile(r'<div[^>]*id="config"[^>]*>(.*?)</div>', re.DOTALL)


def state(contract: Contract, credential_token: str, *, path: str = "/home") -> str:
    """The `state` of the web client (Meteor, `packages/oauth/oauth_client.js`); it comes back to `path`."""
    fields = {
        "loginStyle": contract.provider.login_style,
        "credentialToken": credential_token,
        "isCordova": False,
        "redirectUrl": f"{contract.chat.url}{path}",
    }
    return base64.b64encode(json.dumps(fields).encode()).decode()


def result(page: str) -> dict[str, Any] | None:
    """The JSON in the callback page's `#config`; None where the page has none."""
    found = _RESULT.search(page)
    if found is None:
        return None
    told: dict[str, Any] = json.loads(html.unescape(found[1]))
    return told
