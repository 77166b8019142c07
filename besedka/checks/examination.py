"""One examination of a stack: clients made when first needed, answers asked once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from websockets.sync.client import ClientConnection

from besedka import database_url, http, second_ask
from besedka.address import origin, same
from besedka.checks import limits, moved, roster
from besedka.checks.finding import Where
from besedka.checks.visitor import Visitors
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.rocketchat import catalogue, shapes
from besedka.rocketchat.database import ChatDatabase, Document
from besedka.rocketchat.rest import Json, RocketChat
from besedka.site import Site
from besedka.site_database import SiteDatabase, SiteUser
from besedka.target import Target, besedka_command

TIMEOUT_SECONDS = 4.0
# Rocket.Chat's server waits so long for the site (`packages/server-fetch/src/index.ts`, 20000 ms).
SERVER_SECONDS = 20.0
# Rocket.Chat's server calls itself so (`packages/oauth` of Meteor, OAuth.userAgent): filters look at it.
USER_AGENT = "Meteor/3.1.2 (besedka doctor)"
MONGO_SECONDS = 2.0


@dataclass(frozen=True)
class ProbeAnswer:
    """What an HTTP request made from where Rocket.Chat runs came to."""

    status: int
    content_type: str
    body: str
    location: str = ""
    seconds: float = 0.0

    @property
    def fields(self) -> dict[str, Any]:
        """What its JSON says; nothing where it is no JSON object."""
        try:
            decoded = json.loads(self.body)
        except ValueError:
            return {}
        return decoded if isinstance(decoded, dict) else {}


NO_BODY = (
    "In the proxy's configuration: hand the body of a POST on, with its Content-Type (nginx: "
    "proxy_pass_request_body on, and no proxy_set_header Content-Type)."
)
# What leads to itself was told of the wrong scheme, as a rule.
LOOP_ADVICE = (
    "In the proxy's configuration: proxy_set_header X-Forwarded-Proto $scheme.",
    "What is behind it believes that it was asked by http, and sends to https for ever.",
)


class QueryLostError(ServiceUnreachableError):
    """What is asked for in an address's query does not arrive."""


_UNREADABLE = (
    "Content-Encoding says that it is packed, and it is not: a proxy or a middleware (GZipMiddleware) sends "
    "a wrong header."
)
# (verb, address, headers, form fields) -> answer; raises ServiceUnreachableError when nobody answers.
Probe = Callable[[str, str, dict[str, str], dict[str, str] | None], ProbeAnswer]


def probe_from_here(
    verb: str, address: str, headers: dict[str, str], form: dict[str, str] | None
) -> ProbeAnswer:
    """The request made by this process: right where Rocket.Chat is a process of this machine too."""
    try:
        with http.session() as asked:
            answered = asked.request(
                verb,
                address,
                timeout=(TIMEOUT_SECONDS, SERVER_SECONDS),
                headers={"User-Agent": USER_AGENT} | headers,
                data=form,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        raise ServiceUnreachableError(
            f"{verb} {address.partition('?')[0]} got no answer: {http.silence(error)}",
            expected="an HTTP answer",
            where=address.partition("?")[0],
            next_step=_UNREADABLE if isinstance(error, requests.exceptions.ContentDecodingError) else "",
        ) from error
    kind, location = (answered.headers.get(name, "") for name in ("Content-Type", "Location"))
    seconds = answered.elapsed.total_seconds()
    # Rocket.Chat reads UTF-8, whatever the answer says of itself.
    body = answered.content.decode("utf-8", "replace")
    return ProbeAnswer(answered.status_code, kind, body, location, seconds)


_TOO_LARGE = re.compile("(header|cookie|uri|line).{0,20} too (large|long)", re.IGNORECASE)


def leads_back(location: str, address: str) -> bool:
    """Whether the address leads to itself; one slash more or less at its end is another address."""
    target = urljoin(address, location)
    paths = {urlsplit(url).path or "/" for url in (target, address)}
    return same(target, address) and len(paths) == 1


def redirected(status: int, location: str, address: str) -> tuple[str, ...]:
    """What a person does where an address only leads to another one; nothing where it does not."""
    if status not in {301, 302, 303, 307, 308} or not location:
        return ()
    target = urljoin(address, location)
    if leads_back(location, address):
        return LOOP_ADVICE
    for unlike in (moved.with_www, moved.to_another, moved.without_slash):
        if fix := unlike(location, address):
            return fix
    if target.startswith("https:") and address.startswith("http:"):
        return (
            f"It redirects to {target}: write https into the addresses of besedka.toml, or stop redirecting "
            "(SECURE_SSL_REDIRECT of Django, or the proxy).",
        )
    return (f"It redirects to {target}: write that address into besedka.toml; a POST does not survive it.",)


def gateway(status: int, text: str = "") -> tuple[str, ...]:
    """What a person does about an answer that a proxy gives of itself; nothing where it is none.

    nginx answers 400 to headers that it finds too large, and says so in `text`.
    """
    if status in {414, 431, 494} or (status == 400 and _TOO_LARGE.search(text)):
        fix = (
            "A proxy finds the address or the cookies too long, and asks neither Daphne nor Rocket.Chat's "
            "own address. Raise its limit (large_client_header_buffers 4 32k; LimitRequestLine, "
            "LimitRequestFieldSize); its error log says which."
        )
        return (fix,)
    if status == 503:
        fix = (
            "503 is the word of a proxy without a working program behind it, or of a page for maintenance: "
            "is the service up, and is the maintenance mode off?"
        )
        return (fix,)
    if status not in {502, 504}:
        return ()
    fix = (
        f"{status} is the word of a proxy (nginx, Apache, a gateway) that got no answer: read its error log. "
        "Does its proxy_pass name the address where the service listens, and does it wait long enough "
        "(proxy_read_timeout)?"
    )
    return (fix,)


class Examination:
    """What checks ask. Every property raises ServiceUnreachableError when its service does not answer."""

    def __init__(
        self,
        target: Target,
        contract: Contract,
        *,
        probe: Probe | None = None,
    ) -> None:
        self.target = target
        self.contract = contract
        self.probe = probe or probe_from_here
        self.probe_is_ours = probe is None
        self.manage = target.manage if target.may_write else None
        urls = (target.mongo_url, target.site_database_url)
        self.secrets = set(contract.secrets).union(*(database_url.secrets(url) for url in urls if url))
        self.visitors: Visitors | None = None
        self.first_visit: requests.Response | None = None
        # Whether a proxy says that it stands before the chat; many say nothing.
        self.by_proxy = False
        # Since when a socket to the chat is silent, and the socket.
        self.silent_socket: tuple[float, ClientConnection] | None = None
        self.cleanups: list[Callable[[], str]] = []
        # What stays of a sign-in by a canonical user: nothing that has to be removed.
        self.traces: list[str] = []

    def close(self) -> tuple[str, ...]:
        """Undo what was made, give connections back; the names of what could not be removed."""
        leftovers = tuple(left for cleanup in reversed(self.cleanups) if (left := cleanup()))
        if "admin" in vars(self):
            self.admin.sign_out()
        if "mongo" in vars(self):
            self.mongo.close()
        return leftovers

    @cached_property
    def site(self) -> Site:
        """An anonymous visitor of the site."""
        return Site.of(self.contract, timeout=TIMEOUT_SECONDS, patient=True)

    @cached_property
    def chat(self) -> RocketChat:
        """Rocket.Chat, asked as nobody."""
        return RocketChat(self.contract.chat.url, timeout=TIMEOUT_SECONDS, patient=True)

    @cached_property
    def admin(self) -> RocketChat:
        """Rocket.Chat, asked as the contract's administrator."""
        return limits.signed_in(self.contract, TIMEOUT_SECONDS)

    @cached_property
    def mongo(self) -> ChatDatabase:
        """Rocket.Chat's database; only after `services.mongo` was ok."""
        if self.target.mongo_url is None:
            raise LookupError("no MongoDB address")
        return ChatDatabase(self.target.mongo_url, timeout=MONGO_SECONDS)

    @cached_property
    def site_database(self) -> SiteDatabase:
        """The site's database; only after `services.site_database` was ok."""
        if self.target.site_database_url is None:
            raise LookupError("no address of the site's database")
        return SiteDatabase(
            self.target.site_database_url, adapter=self.contract.site.adapter, timeout=TIMEOUT_SECONDS
        )

    @cached_property
    def info(self) -> Json:
        """`/api/info` as nobody."""
        return self.chat.info()

    @cached_property
    def chat_is_ahead(self) -> timedelta:
        """By how much Rocket.Chat's clock is ahead of this machine's, by its answer's date; 0 without one."""
        told = None
        with suppress(requests.RequestException):
            answered = http.get(f"{self.contract.chat.url}/api/info", timeout=TIMEOUT_SECONDS)
            told = answered.headers.get("Date")
        return parsedate_to_datetime(told) - datetime.now(UTC) if told else timedelta()

    @cached_property
    def catalogue(self) -> catalogue.Catalogue:
        """The settings registry of the version that answers. Raises UnknownVersionError."""
        return catalogue.for_version(str(self.info["version"]))

    @cached_property
    def effective(self) -> dict[str, Any]:
        """Setting id → value as Rocket.Chat gives it to an administrator over REST.

        A count of 0 means all, in one answer, or a page where API_Allow_Infinite_Count is off
        (`apps/meteor/app/api/server/helpers/getPaginationItems.ts`).
        """
        rows: list[Json] = []
        while True:
            page = self.admin.get("settings", count=0, offset=len(rows))
            if rows and page["settings"][:1] == rows[:1]:
                raise QueryLostError(
                    f"each page of the {page['total']} settings is the first one",
                    expected="the page that is asked for by ?offset=",
                    where="GET /api/v1/settings",
                    next_step="The query is lost on its way: let the proxy pass addresses on with ?…, as "
                    "`proxy_pass http://rocketchat;` without a path does.",
                )
            rows += page["settings"]
            if not page["settings"] or len(rows) >= page["total"]:
                return {row["_id"]: row.get("value") for row in rows}

    @cached_property
    def stored(self) -> dict[str, dict[str, Any]] | None:
        """Setting id → row in Mongo; None where Mongo cannot be read."""
        return self.mongo.settings() if self.target.mongo_url else None

    @cached_property
    def chat_users(self) -> list[Document]:
        """Every account of Rocket.Chat, from Mongo."""
        return [shapes.whole("users", row) for row in self.mongo.users()]

    @cached_property
    def chat_rooms(self) -> list[Document]:
        """Every channel and private group, from Mongo."""
        return [room for room in self._all_rooms if room.get("t") in ("c", "p")]

    @cached_property
    def other_rooms(self) -> list[Document]:
        """Direct messages and rooms of other kinds, from Mongo."""
        return [room for room in self._all_rooms if room.get("t") not in ("c", "p")]

    @cached_property
    def other_room_ids(self) -> set[Any]:
        """Ids of direct and other rooms."""
        return {room["_id"] for room in self.other_rooms}

    @cached_property
    def _all_rooms(self) -> list[Document]:
        return [shapes.whole("rocketchat_room", row) for row in self.mongo.rooms(kinds=None)]

    @cached_property
    def chat_subscriptions(self) -> list[Document]:
        """Every membership, from Mongo."""
        return [shapes.whole("rocketchat_subscription", row) for row in self.mongo.subscriptions()]

    @cached_property
    def roster(self) -> roster.Roster:
        """Who is where: from Mongo where it can be read, else over REST as administrator."""
        if self.target.mongo_url:
            return roster.from_mongo(self.chat_users, self.chat_rooms, self.chat_subscriptions)
        return roster.from_rest(self.admin, self.contract, str(self.info["version"]))

    @cached_property
    def permissions(self) -> dict[str, set[str]]:
        """Permission → the roles that have it: from Mongo, where Rocket.Chat looks them up, or over REST."""
        stored = self.mongo.permissions() if self.stored is not None else None
        rows = self.admin.get("permissions.listAll")["update"] if stored is None else stored
        return {
            str(row["_id"]): {*row["roles"]} if isinstance(row.get("roles"), list) else set() for row in rows
        }

    @cached_property
    def site_users(self) -> list[SiteUser]:
        """Every account of the site."""
        return self.site_database.users()

    @cached_property
    def site_tokens(self) -> set[str] | None:
        """Every access token that the site has issued and not forgotten; None where no table tells."""
        if not self.contract.site.features.oauth_tables:
            return None
        return {row.token for row in self.site_database.access_tokens()}

    @cached_property
    def login_services(self) -> list[Json]:
        """Log-in services as Rocket.Chat gives them to anybody; secrets are left out."""
        return list(self.chat.get("service.configurations")["configurations"])

    def where(self, setting_id: str, place: str = "") -> Where:
        """The place of a setting, with its path in the admin pages where the registry knows it."""
        path_en, path_ru = (self.catalogue.path(setting_id, language) for language in ("en", "ru"))
        return Where(place or setting_id, setting_id, path_en, path_ru)

    def chat_page(self, path: str, **headers: str) -> requests.Response:
        """A page of Rocket.Chat as a browser asks for it, redirects not followed."""
        return self._asked_of_chat("GET", path, headers={"Accept": "text/html"} | headers)

    def chat_call(self, path: str, **body: str) -> requests.Response:
        """The answer to a call of Rocket.Chat as nobody; without `body`, nothing is asked for in it."""
        own = {"Origin": origin(self.contract.chat.url)}
        return self._asked_of_chat("POST", path, json=body, headers=own)

    def _asked_of_chat(self, verb: str, path: str, **options: Any) -> requests.Response:
        address, wanted = self.contract.chat.url + path, {"allow_redirects": False, **options}
        try:
            with http.session() as client:
                return second_ask.request(
                    client, verb, address, timeout=TIMEOUT_SECONDS, again=True, **wanted
                )
        except requests.RequestException as error:
            raise ServiceUnreachableError(
                f"{verb} {address} got no answer: {http.silence(error)}",
                expected="an HTTP answer",
                where=address,
                next_step="Look at what stands in front of Rocket.Chat, a proxy, and at its log.",
            ) from error

    @property
    def provision_command(self) -> str:
        """The command that brings this Rocket.Chat to the contract."""
        return besedka_command(self.target, "provision", "--apply")

    def compose(self, words: str) -> dict[str, tuple[str, ...]]:
        """A command for the compose file: to paste where the stack is in containers, else as advice."""
        command = f"docker compose -f docker-compose.local.yml {words}"
        if self.target.kind == "containers":
            return {"commands": (command,), "advice": ()}
        return {"commands": (), "advice": (f"In the stack of the compose file: {command}",)}

    @property
    def site_commands(self) -> tuple[str, ...]:
        """The command that brings the site's own records to the contract; none where it cannot."""
        return (self.provision_command,) if self.target.site_environment_file else ()

    @property
    def site_advice(self) -> tuple[str, ...]:
        """What a person does where no command brings the site's records to the contract."""
        if self.target.site_environment_file:
            return ()
        return ("Change it by the site's own means: its admin pages, or its management commands.",)

    def secret(self, value: str) -> str:
        """Remember that `value` must not be shown; gives it back."""
        if value:
            self.secrets.add(value)
        return value
