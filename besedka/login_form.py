"""The log-in form of a page, as its HTML shows it: with the password, or with the name alone at first."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self

import requests

_NAMES = ("text", "email")


@dataclass
class _Form:
    """One form. `hidden` are its fields that nobody fills in, `hints` what its first text field is called."""

    action: str = ""
    method: str = "get"
    hidden: dict[str, str] = field(default_factory=dict)
    name_field: str = ""
    password_field: str = ""
    hints: tuple[str, ...] = ()


class LoginForm(HTMLParser):
    """The page's first form that has a password. Without one, the first that is posted and asks for a name.

    The second kind is the first page of a log-in in two: `password_field` is empty, and the answer to it
    leads to a form with the password. `found` says whether there is a form of either kind.
    """

    @classmethod
    def of(cls, page: requests.Response) -> Self:
        """The form of that page."""
        form = cls()
        form.feed(page.text)
        return form

    def __init__(self) -> None:
        super().__init__()
        self._forms: list[_Form] = []
        self._in_form = False

    @property
    def _chosen(self) -> _Form:
        asking = [form for form in self._forms if form.password_field]
        named = [form for form in self._forms if form.method == "post" and form.name_field]
        return next(iter(asking or named), _Form())

    @property
    def found(self) -> bool:
        """Whether the page has a form to log in by."""
        return bool(self.name_field or self.password_field)

    @property
    def hidden(self) -> dict[str, str]:
        """What goes with it unseen, the CSRF token among it; of a page without a log-in, its last form's."""
        return (self._chosen if self.found or not self._forms else self._forms[-1]).hidden

    @property
    def name_field(self) -> str:
        """Where it asks who it is; empty on the second page of two."""
        return self._chosen.name_field

    @property
    def password_field(self) -> str:
        """Where it asks for the password; empty on the first page of two."""
        return self._chosen.password_field

    @property
    def action(self) -> str:
        """Where it is sent; empty for the page's own address."""
        return self._chosen.action

    @property
    def asks_for_email(self) -> bool:
        """Whether it wants an address in place of a name."""
        return any("mail" in text.lower() for text in self._chosen.hints)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a field of the one that is open."""
        fields = {key: value or "" for key, value in attrs}
        if tag == "form":
            self._in_form = True
            self._forms.append(_Form(fields.get("action", ""), fields.get("method", "get").lower()))
        elif tag == "input" and self._in_form:
            self._note(self._forms[-1], fields)

    def _note(self, form: _Form, fields: dict[str, str]) -> None:
        name, kind = fields.get("name", ""), fields.get("type", "text").lower()
        if kind == "hidden":
            form.hidden[name] = fields.get("value", "")
        elif kind == "password" and not form.password_field:
            form.password_field = name
        elif kind in _NAMES and not form.name_field:
            form.name_field = name
            form.hints = (kind, name, fields.get("autocomplete", ""))

    def handle_endtag(self, tag: str) -> None:
        """The form ends."""
        self._in_form = self._in_form and tag != "form"
