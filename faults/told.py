"""Faults of what token and identity endpoint answer to Rocket.Chat's server: moved, misshapen, unsteady."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from faults import names
from faults.fault import Fault
from faults.hops import with_a_code, with_a_token
from faults.proxy import Reply, Request, Rule
from faults.rules import Matching, answers, answers_json, changed, fields, reply_with, to

_SECURE = f"https://127.0.0.1{names.IDENTITY}"


def _site(name: str, cause: str, rule: Rule, *also: str) -> Fault:
    return Fault(name, cause, lambda one: one.ruled("site", rule), also)


def _reshaped(which: Matching, change: Callable[[dict[str, Any]], Any], encoding: str = "utf-8") -> Rule:
    """The answer's JSON becomes another; other answers stay as they are."""

    def told(reply: Reply) -> Reply:
        if not reply.header("Content-Type").startswith("application/json"):
            return reply
        text = json.dumps(change(json.loads(reply.body)), ensure_ascii=False)
        return replace(reply, body=text.encode(encoding))

    return changed(which, told)


def _first_address(request: Request) -> bool:
    return request.path == names.IDENTITY and "v=2" not in request.target


def _with_any_code(request: Request) -> bool:
    return to(names.TOKEN, "POST")(request) and b"code=" in request.body


FAULTS = (
    _site(
        "identity_has_moved",
        "site.identity.moved",
        answers(_first_address, 307, Location=f"{names.IDENTITY}?v=2"),
    ),
    _site(
        "identity_elsewhere_for_tokens",
        "sso.identity.redirected",
        answers(with_a_token, 302, Location=_SECURE),
    ),
    _site(
        "token_endpoint_redirects_codes",
        "sso.token.redirected",
        answers(with_a_code, 301, Location=names.TOKEN.rstrip("/")),
    ),
    _site(
        "client_refused_with_any_code",
        "sso.client.refused",
        answers_json(_with_any_code, 401, error="invalid_client"),
    ),
    _site("token_over_at_once", "sso.token.short", fields(with_a_code, expires_in=1)),
    _site(
        "identity_in_windows_1251",
        "sso.identity.encoding",
        _reshaped(with_a_token, lambda told: told, "cp1251"),
        "sso.fields.other_name",
    ),
    _site(
        "identity_changes_its_id",
        "sso.fields.id_changes",
        _reshaped(with_a_token, lambda told: told | {"id": secrets.token_hex(4)}),
    ),
    _site(
        "identity_two_levels_below",
        "sso.fields.none",
        _reshaped(with_a_token, lambda told: {"response": {"user": told}}),
    ),
    _site(
        "identity_refuses_and_says_200",
        "sso.fields.none",
        answers_json(with_a_token, 200, error="unauthorized"),
    ),
    _site("identity_as_a_list", "sso.identity.not_json", _reshaped(with_a_token, lambda told: [told])),
    _site(
        "identity_says_gzip_and_sends_text",
        "sso.identity.unanswered",
        reply_with(with_a_token, "Content-Encoding", "gzip"),
    ),
)
