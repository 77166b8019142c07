"""The log-in form of a page, as its HTML shows it: with the password, or with the name alone at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Self
from urllib.parse import urljoin

import requests

# What htmx says with each request, and how an answer to one leads elsewhere (https://htmx.org/reference/#headers).
HTMX = {"HX-Request": "true"}
_LED_ON = ("HX-Redirect", "HX-Location")
_NAMES = ("text", "email")
_HTMX = ("get", "post", "trigger")


@dataclass
class _Form:
    """One form. `hidden` are its fields that nobody fills in, `hints` what its first text field is called.

    As browsers send them, those are hidden fields, what is ticked or chosen, and the button that sends.
    """

    action: str = ""
    method: str = "get"
    by_htmx: bool = False
    hidden: dict[str, str] = field(default_factory=dict)
    name_field: str = ""
    password_field: str = ""
    passwords: int = 0
    sends: bool = False
    hints: tuple[str, ...] = ()


class LoginForm(HTMLParser):
    """The page's first form that has a password. Without one, the first that is posted and asks for a name.

    A form with two passwords makes an account, and gives way to one with one. Where none has any, it is the
    first page of a log-in in two: `password_field` is empty, and the answer to it leads to a form with the
    password. `found` says whether there is a form of either kind.
    """

    @classmethod
    def of(cls, page: requests.Response, ask: Callable[[str], requests.Response] | None = None) -> Self:
        """The form of that page; where htmx loads it with the page, of what `ask` gets from that address."""
        form = cls()
        form.feed(page.text)
        if not form.found and form._loaded_from and ask:
            return cls.of(ask(urljoin(page.url, form._loaded_from)))
        return form

    def __init__(self) -> None:
        super().__init__()
        self._forms: list[_Form] = []
        self._in_form = False
        self._select = ""
        self._loaded_from = ""

    @property
    def _chosen(self) -> _Form:
        asking = sorted((form for form in self._forms if form.passwords), key=lambda form: form.passwords > 1)
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
    def headers(self) -> dict[str, str]:
        """What is sent with it beside its fields."""
        return HTMX if self._chosen.by_htmx else {}

    @property
    def asks_for_email(self) -> bool:
        """Whether it wants an address in place of a name."""
        return any("mail" in text.lower() for text in self._chosen.hints)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a field of the one that is open."""
        fields = {key: value or "" for key, value in attrs}
        htmx = {name: fields.get(f"hx-{name}", fields.get(f"data-hx-{name}", "")) for name in _HTMX}
        if "load" in htmx["trigger"]:
            self._loaded_from = self._loaded_from or htmx["get"]
        if tag == "form":
            self._in_form = True
            method = "post" if htmx["post"] else fields.get("method", "get").lower()
            action = htmx["post"] or fields.get("action", "")
            self._forms.append(_Form(action, method, by_htmx=bool(htmx["post"])))
        elif tag in {"input", "button"} and self._in_form:
            self._note(self._forms[-1], fields, "submit" if tag == "button" else "text")
        elif tag == "select" and self._in_form:
            self._select = fields.get("name", "")
        elif tag == "option" and self._select and self._in_form:
            chosen = self._forms[-1].hidden
            if "selected" in fields or self._select not in chosen:
                chosen[self._select] = fields.get("value", "")

    @staticmethod
    def _note(form: _Form, fields: dict[str, str], usual: str) -> None:
        name, kind = fields.get("name", ""), (fields.get("type") or usual).lower()
        if "disabled" in fields:
            return
        if kind == "hidden":
            form.hidden[name] = fields.get("value", "")
        elif kind in {"checkbox", "radio"} and "checked" in fields and name:
            form.hidden[name] = fields.get("value") or "on"
        elif kind == "submit" and not form.sends:
            # The first one is what Enter presses; without a name it sends nothing of its own.
            form.sends = True
            form.hidden |= {name: fields.get("value", "")} if name else {}
        elif kind == "password":
            form.password_field = form.password_field or name
            form.passwords += 1
        elif kind in _NAMES and not form.name_field:
            form.name_field = name
            form.hints = (kind, name, fields.get("autocomplete", ""))

    def handle_endtag(self, tag: str) -> None:
        """A form or a list of it ends."""
        self._in_form = self._in_form and tag != "form"
        self._select = self._select if tag != "select" else ""


def leads_on(answer: requests.Response) -> bool:
    """Whether the answer to a form sends to another page: that is how a log-in says that it is one."""
    return answer.status_code in {302, 303} or any(name in answer.headers for name in _LED_ON)
