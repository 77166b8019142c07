"""Layer `services`: does each service answer, and as what it should be."""

from __future__ import annotations

from urllib.parse import urljoin

import requests

from besedka import address, second_ask, site_status
from besedka.checks import bursts, moved
from besedka.checks.check import Check, check
from besedka.checks.examination import (
    MONGO_SECONDS,
    TIMEOUT_SECONDS,
    Examination,
    gateway,
    leads_back,
    redirected,
)
from besedka.checks.finding import Answer, Finding, Findings, Ok, Skipped, finding
from besedka.contract import Contract
from besedka.errors import ServiceUnreachableError
from besedka.login_form import LoginForm
from besedka.site import Site

_MORE_LOOKS, _REQUESTS = 3, 9
# pymongo's words for a server that takes the connection and says nothing.
_DRIVERS_SILENCE = ("timed out", "No servers found yet")
_STARTING = {502, 503, 504}
_INITIATE = "exec mongo mongosh --eval 'rs.initiate()'"


@check("services.mongo", codes="slow not_initiated not_primary no_replica_set")
def mongo(examination: Examination) -> Answer:
    """Does MongoDB answer, as primary of a replica set?"""
    if examination.target.mongo_url is None:
        return Skipped("no MongoDB address was given (--mongo-url)")
    try:
        hello = examination.mongo.hello()
    except ServiceUnreachableError as error:
        if not any(text in str(error.__cause__) for text in _DRIVERS_SILENCE):
            raise
        return Findings((_hanging_mongo(examination),))
    where, initiate = examination.mongo.where, examination.compose(_INITIATE)
    if hello.get("isreplicaset"):
        # So says mongod with --replSet until somebody calls rs.initiate().
        return Findings(
            (
                finding(
                    "services.mongo.not_initiated",
                    str(hello.get("info") or "a replica set that nobody has initiated"),
                    "a primary: without one Rocket.Chat restarts in a loop (ReplicaSetNoPrimary)",
                    where,
                    commands=initiate["commands"],
                    advice=("Run rs.initiate() in a mongosh on this MongoDB, once.", *initiate["advice"]),
                ),
            )
        )
    if not hello.get("isWritablePrimary"):
        state = "a secondary" if hello.get("secondary") else "neither primary nor secondary"
        return Findings(
            (
                finding(
                    "services.mongo.not_primary",
                    f"this MongoDB is {state}",
                    "the writable primary: a secondary may show old data, and Rocket.Chat cannot write",
                    where,
                    advice=(
                        f"Connect to {hello.get('primary', 'the primary')}; rs.status() shows which that is.",
                    ),
                ),
            )
        )
    if not hello.get("setName"):
        return Findings(
            (
                finding(
                    "services.mongo.no_replica_set",
                    "this MongoDB is no member of a replica set",
                    "a replica set of one: Rocket.Chat ends itself without it",
                    where,
                    advice=("start mongod with --replSet rs0 and run rs.initiate() once",),
                ),
            )
        )
    return Ok(f"primary of {hello['setName']}")


def _hanging_mongo(examination: Examination) -> Finding:
    fix = "mongod hangs or is paused: see its log and the disk, then start it again."
    seen = f"no answer within {MONGO_SECONDS:g} s"
    return finding("services.mongo.slow", seen, "an answer", examination.mongo.where, advice=(fix,))


@check("services.site_database", codes="")
def site_database(examination: Examination) -> Answer:
    """Can the site's database be read?"""
    if examination.target.site_database_url is None:
        return Skipped("no address of the site's database was given (--site-database-url)")
    users = examination.site_users
    return Ok(f"{len(users)} accounts")


@check(
    "services.site",
    codes="slow password host gate www redirected loop not_json starting not_ready two_programs limited"
    " one_gone",
    after=["services.site_database", "services.certificate"],
)
def site(examination: Examination) -> Answer:
    """Does the site say that it is ready?"""
    try:
        return _ready(examination)
    except ServiceUnreachableError as error:
        if not isinstance(error.__cause__, requests.ReadTimeout):
            raise
        seen = f"connected, but no answer within {TIMEOUT_SECONDS * second_ask.LONGER:g} s"
        fix = "The site hangs, is paused or overloaded: see Daphne's log, then start it again."
        found = finding("services.site.slow", seen, "an answer", error.where, advice=(fix,))
        return Findings((found,))


def _ready(examination: Examination) -> Answer:
    adapter = examination.contract.site.adapter
    path = adapter.status_place
    if not path:
        return _home(examination)
    response = examination.site.get(path)
    if response.headers.get("WWW-Authenticate", "").lower().startswith("basic"):
        return Findings((_behind_a_password(response),))
    if site_status.is_another_page(examination.contract.site, response) and _is_a_site(examination, response):
        return _home(examination)
    place = f"GET {examination.contract.site.url}{path} ([site.adapter] status_path in besedka.toml)"
    log = "read Daphne's log; is it Besedka that listens on this port, and nothing beside it?"
    kind = response.headers.get("Content-Type", "no content type")
    # Django refuses a strange host with 400, which no status has.
    if response.status_code == 400 or not kind.startswith("application/json"):
        location = response.headers.get("Location", "")
        code, seen, advice = _no_status(response.status_code, kind, location, response.url)
        return Findings(
            (finding(f"services.site.{code}", seen, "200 with JSON", place, advice=advice or (log,)),)
        )
    if response.status_code != 200 or response.json().get("status") != "ok":
        seen = f"{response.status_code}: {response.text[:200]}"
        return Findings(
            (finding("services.site.not_ready", seen, '200 {"status": "ok"}', place, advice=(log,)),)
        )
    return _one_program(examination, path, place, response)


def _one_program(examination: Examination, path: str, place: str, response: requests.Response) -> Answer:
    """Whether each connection meets the same program, by the version that it tells."""
    statuses = bursts.statuses(lambda: _asked_anew(examination, path), _REQUESTS)
    if refused := bursts.uneven("services.site", statuses, place):
        return Findings(tuple(refused))
    versions = {_version(response), *(_version(_asked_anew(examination, path)) for _ in range(_MORE_LOOKS))}
    if len(versions) > 1:
        seen = f"now {' and now '.join(sorted(versions))}: two programs share this port"
        stop = examination.compose("stop web")
        return Findings(
            (
                finding(
                    "services.site.two_programs",
                    seen,
                    "one version",
                    place,
                    commands=stop["commands"],
                    advice=(
                        "Stop the program that is not meant: the container web, or Daphne.",
                        *stop["advice"],
                    ),
                ),
            )
        )
    return Ok(versions.pop())


def _behind_a_password(response: requests.Response) -> Finding:
    """A browser's user may know it; Rocket.Chat's server does not."""
    fix = (
        "In the proxy's configuration: no auth_basic for the site. Rocket.Chat's server and doctor do not "
        "know that password, and Authorization carries the token."
    )
    seen = f"{response.status_code}: the proxy asks for a password of its own"
    place = f"GET {response.url}"
    return finding("services.site.password", seen, "an answer of the site", place, advice=(fix,))


def _no_status(status: int, kind: str, location: str, url: str) -> tuple[str, str, tuple[str, ...]]:
    """Code, sight and advice where the site's status is not one that it gives itself."""
    if status == 400 and kind.startswith(("text/html", "application/json")):
        fix = (
            f"Add {address.host(url)} to ALLOWED_HOSTS of the site. If it stands there: let the proxy send "
            "Host on (proxy_set_header Host $host)."
        )
        return "host", "400: the site does not know itself by this host name", (fix,)
    if advice := redirected(status, location, url):
        code = "loop" if leads_back(location, url) else "redirected"
        code = "gate" if moved.to_another(location, url) else code
        code = "www" if moved.with_www(location, url) else code
        return code, f"{status} to {urljoin(url, location)}", advice
    return (
        "starting" if status in _STARTING else "not_json",
        f"{status} with {kind}",
        gateway(status) if status != 503 else (),
    )


def _is_a_site(examination: Examination, response: requests.Response) -> bool:
    """Whether the program with a page for every address has a log-in: Rocket.Chat, for one, has none."""
    if not response.ok or response.is_redirect:
        return True
    site = examination.contract.site
    form = LoginForm.of(examination.site.get(site.login_path), examination.site.loaded)
    return site.adapter.login_call is not None or form.found


def _home(examination: Examination) -> Answer:
    """The answer of a site without a status page: its home page may be away, and the server is there."""
    response = examination.site.get("/")
    place, status = f"GET {response.url}", response.status_code
    if site_status.is_site(response):
        return Ok(f"the home page answers {status}")
    if status == 400:
        code, seen, advice = _no_status(status, "text/html", "", response.url)
        return Findings((finding(f"services.site.{code}", seen, "a page", place, advice=advice),))
    code = "starting" if status in _STARTING else "not_ready"
    fix = "Read the site's log; is it the site that listens on this port?"
    return Findings((finding(f"services.site.{code}", str(status), "a page", place, advice=(fix,)),))


def _asked_anew(examination: Examination, path: str) -> requests.Response:
    """The status over a connection of its own: of two listeners, each connection gets one."""
    return Site.of(examination.contract, timeout=TIMEOUT_SECONDS).get(path)


def _version(response: requests.Response) -> str:
    try:
        return f"version {response.json().get('version')}"
    except ValueError:
        return f"{response.status_code} without JSON"


@check("services.addresses", codes="host_mix cross_site")
def addresses(examination: Examination) -> Answer:
    """Are site and chat on the same spelling of this machine?"""
    hosts = {
        name: address.host(url)
        for name, url in (("site", examination.contract.site.url), ("chat", examination.contract.chat.url))
    }
    if len(set(hosts.values())) == 2 and all(map(address.is_loopback, hosts.values())):
        return Findings(
            (
                finding(
                    "services.addresses.host_mix",
                    f"site on {hosts['site']}, chat on {hosts['chat']}",
                    "one spelling: to a browser these are two sites, and the session cookie stays behind",
                    "[site] url and [chat] url in besedka.toml",
                    advice=("write 127.0.0.1 in both, in ROOT_URL, and in the redirect URI",),
                ),
            )
        )
    if not address.same_site(examination.contract.site.url, examination.contract.chat.url):
        fix = "Give both one domain, as example.org and chat.example.org."
        seen = f"site at {examination.contract.site.url}, chat at {examination.contract.chat.url}"
        expected = "one site to a browser: a frame of another gets no cookie and no storage (Chromium)"
        place = "[site] url and [chat] url in besedka.toml"
        return Findings((finding("services.addresses.cross_site", seen, expected, place, advice=(fix,)),))
    return Ok(
        ", ".join(f"{name} on {host}" for name, host in hosts.items()), watched=("site.url", "chat.url")
    )


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (mongo, site_database, site, addresses)
