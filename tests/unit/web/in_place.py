"""What answers in place of the chat's server, for the site's own client."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

Answer = Callable[[requests.PreparedRequest], requests.Response]


def response(
    status: int = 200, told: Any = None, *, text: str = "", headers: Mapping[str, str] | None = None
) -> requests.Response:
    """An answer with a text, or with something said in JSON."""
    made = requests.Response()
    made.status_code = status
    made.headers.update(headers or {})
    made._content = (text if told is None else json.dumps(told)).encode()
    return made


def answer_with(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """No request leaves this process from now on."""
    monkeypatch.setattr(HTTPAdapter, "send", lambda _self, request, **_more: answer(request))
