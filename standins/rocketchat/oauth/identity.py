"""A provider's identity as fields of a user (`app/custom-oauth/server/transform_helpers.js`)."""

import re
from typing import Any

from standins.rocketchat.documents import Document
from standins.rocketchat.errors import PlainError

# Where an id is looked for when there is no `id`, with what some providers' shapes fill in besides.
_IDS: tuple[tuple[str, dict[str, str]], ...] = (
    ("_id", {}),
    ("ID", {}),
    ("user_id", {}),
    ("CharacterID", {}),
    ("user.userid", {"email": "user.email"}),
    ("user.user_id", {"email": "user.user_email"}),
    ("phid", {}),
    ("sub", {}),
    ("metadata.uid", {"name": "fullName"}),
    ("userid", {}),
    ("ocs.data.id", {"name": "ocs.data.displayname", "email": "ocs.data.email"}),
)
_NAMES = ("name", "username", "nickname", "CharacterName", "userName", "preferred_username", "user.name")
_TEMPLATE = re.compile(r"\{\{((?:(?!\}\}).)+)\}\}")
_FORMULA = re.compile(r"^/((?!/::).*)/::(.+)")


def _nested(path: str, data: Any) -> Any:
    for part in path.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _formula(formula: str, data: Document) -> Any:
    found = _FORMULA.match(formula)
    if found is None:
        return _nested(formula, data)
    value = re.search(found[1], str(_nested(found[2], data)))
    return value[1] if value and value.groups() else None


def from_template(template: str, data: Document) -> Any:
    """A bare key, a dotted path, or text with `{{path}}` and `{{/regex/::path}}` in it.

    What is missing inside a template becomes the word `undefined`, as JavaScript's replace makes it.
    """
    if not _TEMPLATE.search(template):
        return _nested(template, data)

    def fill(match: re.Match[str]) -> str:
        value = _formula(match[1], data)
        return "undefined" if value is None else str(value)

    return _TEMPLATE.sub(fill, template)


def _rename(value: Any) -> Any:
    """Property names with dots cannot be stored; each dot becomes an underscore."""
    if isinstance(value, list):
        return [_rename(item) for item in value]
    if isinstance(value, dict):
        return {name.replace(".", "_"): _rename(item) for name, item in value.items()}
    return value


def _extract(config: Document, field: str, identity: Document, what: str) -> Any:
    try:
        return from_template(config[field].strip(), identity)
    except re.error as error:
        raise PlainError(f"CustomOAuth: Failed to extract {what}") from error


def normalize(answer: Any, config: Document) -> Document:
    """The identity with `id`, `username`, `email`, `avatarUrl` and `name` as the service's fields say.

    Raises PlainError where a configured username or email is missing.
    """
    if not isinstance(answer, dict):
        raise PlainError("Cannot read properties of null (reading '_id')")
    identity: Document = answer["result"] if isinstance(answer.get("result"), dict) else answer
    for path, more in _IDS:
        value = _nested(path, identity)
        if value and not identity.get("id"):
            identity["id"] = value
            identity |= {name: _nested(source, identity) for name, source in more.items()}
    emails = identity.get("emails")
    if not identity.get("email") and isinstance(emails, list) and emails and isinstance(emails[0], dict):
        identity["email"] = emails[0].get("address")
    for field, name, what in (("usernameField", "username", "username"), ("emailField", "email", "email")):
        if (config.get(field) or "").strip():
            identity[name] = _extract(config, field, identity, what)
            if not identity[name]:
                raise PlainError(f"CustomOAuth: Failed to extract {what}")
    if (config.get("avatarField") or "").strip():
        identity["avatarUrl"] = _extract(config, "avatarField", identity, "avatar url")
    given = None
    if (config.get("nameField") or "").strip():
        given = _extract(config, "nameField", identity, "custom name")
    identity["name"] = given or next(
        (_nested(path, identity) for path in _NAMES if _nested(path, identity)), None
    )
    return {name: value for name, value in _rename(identity).items() if value is not None}
