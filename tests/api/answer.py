"""An HTTP answer that is not the expected one, said in one line."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlsplit

import requests

_BODY_CHARACTERS = 200


def expect_status(answer: requests.Response, status: int) -> None:
    """The status is that one; if not, the failure says who was asked, and what came instead."""
    assert answer.status_code == status, f"{asked(answer)} answered {described(answer)}, not {status}"


def expect_json(answer: requests.Response) -> dict[str, Any]:
    """The answer is a JSON object, whatever its status; returns it."""
    kind = answer.headers.get("Content-Type", "")
    assert kind.startswith("application/json"), (
        f"{asked(answer)} answered {kind}, not JSON: {described(answer)}"
    )
    decoded = answer.json()
    assert isinstance(decoded, dict), f"{asked(answer)} answered JSON that is no object: {described(answer)}"
    return decoded


def asked(answer: requests.Response) -> str:
    """Method and path; the query, which may hold a code, is left out."""
    return f"{answer.request.method} {urlsplit(answer.url).path}"


def described(answer: requests.Response) -> str:
    """Status with where a redirect leads, or what a page or a JSON answer says."""
    target = answer.headers.get("Location")
    if target:
        return f"{answer.status_code} to {target.partition('?')[0]}"
    return f"{answer.status_code}: {_words(answer)[:_BODY_CHARACTERS]}"


def _words(answer: requests.Response) -> str:
    if "html" not in answer.headers.get("Content-Type", ""):
        return answer.text
    main = re.search(r"<main.*?</main>", answer.text, re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main.group() if main else answer.text)).split())
