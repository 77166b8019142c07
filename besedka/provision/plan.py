"""The plan: what differs between a stack and the contract.

The order of actions is the one that works: documents that no call can mend, the site, settings, provider
(base switch last), users, rooms, memberships, default channel; counts when nothing else is left to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from besedka.contract import Contract, User
from besedka.provision import (
    addresses,
    plan_of_rooms,
    repairs_of_data,
    repairs_of_settings,
    service,
    workspace,
)
from besedka.provision.action import Action, Kind, Notice, Plan
from besedka.provision.documents import Document, Documents, inserted
from besedka.provision.errors import AccountClashError, LicenceMissingError
from besedka.provision.repairs_of_data import Data
from besedka.provision.site_side import SiteSide
from besedka.provision.state import Account, Room, State
from besedka.rocketchat import adoption, catalogue, conditions, licences, provider
from besedka.rocketchat.documents import signs_in
from besedka.rocketchat.settings import fulfils

# What nobody may set on himself, see second_administrator.py.
_OWN_ADDRESS: tuple[str, ...] = ("email", "verified")


@dataclass(frozen=True)
class Options:
    """How to provision.

    `rooms_only` leaves settings, provider and accounts alone. `prune` also removes canonical users from rooms
    that are not theirs; other members are nobody's business here. `patience` is how many seconds to wait for
    Rocket.Chat to answer. `confirmed_host` is the host that somebody named as the one to write to. `partial`
    does what can be done even where something is left to a person.
    """

    rooms_only: bool = False
    prune: bool = False
    patience: float = 10.0
    confirmed_host: str | None = None
    partial: bool = False


@dataclass(frozen=True)
class Beside:
    """What there is beside Rocket.Chat's calls: its MongoDB, the site; None where it is out of reach."""

    documents: Documents | None = None
    site: SiteSide | None = None


def made(contract: Contract, state: State, options: Options, beside: Beside | None = None) -> Plan:
    """Compare `state` with the contract; raises AccountClashError before anything is done."""
    beside = beside or Beside()
    steps: list[Action | Notice] = []
    documents = None if options.rooms_only else beside.documents
    rows = {str(row["_id"]): row for row in documents.rows(repairs_of_settings.SETTINGS)} if documents else {}
    data = Data(documents.rows, documents.newest_messages) if documents else None
    if documents and data:
        steps += _documents(contract, state, documents, rows, data, beside.site)
    if beside.site and not options.rooms_only:
        steps += beside.site.steps(contract)
    if not options.rooms_only:
        steps += [*_settings(contract, state, rows), *_provider(contract, state, rows, documents)]
        steps += [*_users(contract, state, data, beside.site.addresses(contract) if beside.site else {})]
    steps += plan_of_rooms.made(contract, state, rooms_only=options.rooms_only, prune=options.prune)
    if data and not any(isinstance(step, Action) for step in steps):
        steps += repairs_of_data.of_counts(data)
    return Plan(
        tuple(step for step in steps if isinstance(step, Action)),
        tuple(step for step in steps if isinstance(step, Notice)),
    )


def _documents(  # noqa: PLR0913, PLR0917 - everything that was read
    contract: Contract,
    state: State,
    documents: Documents,
    rows: dict[str, Document],
    data: Data,
    site: SiteSide | None,
) -> Iterator[Action]:
    yield from repairs_of_settings.of_rows(rows.values(), state.version, contract)
    services = documents.rows(repairs_of_settings.SERVICES)
    yield from repairs_of_settings.of_services(services, rows, contract)
    yield from repairs_of_data.of_shapes(data)
    yield from repairs_of_data.of_messages(data, contract)
    for action, room in repairs_of_data.of_kinds(data, contract):
        yield action
        # From here on it is a room like any other.
        state.note_room(Room.of(room), repairs_of_data.people_in(data, room))
    for action in repairs_of_data.of_rooms(data, contract):
        yield action
        if action.before is None:
            state.note_general(contract.default_channel.name)
    yield from repairs_of_data.of_memberships(data, contract)
    yield from repairs_of_data.of_people(data, contract)
    yield from repairs_of_data.of_letters(data, contract, site.addresses(contract) if site else {})
    issued = (site.names(), site.tokens()) if site else None
    yield from repairs_of_data.of_links(data, contract, issued)


def _settings(contract: Contract, state: State, rows: dict[str, Document]) -> Iterator[Action | Notice]:
    inert = _without_effect(contract, state)
    if inert:
        modules = ", ".join(dict.fromkeys(module for lacking in inert.values() for module in lacking))
        text = f"Rocket.Chat has no licence with {modules}, and what is written there has no effect"
        todo = "get the licence, or take the rows out of [settings] in besedka.toml"
        yield Notice("setting-unlicensed", ", ".join(inert), f"{text}: {todo}")
    for name, value in conditions.settings(contract, state.settings).items():
        if provider.declared(name) or name in inert:
            continue
        if name not in state.settings:
            yield from _unlisted(name, value, state, rows)
            continue
        if not fulfils(name, state.settings[name], value):
            yield Action("setting", name, state.settings[name], value)
        yield from _forced(name, value, rows.get(name, {}))
    yield from repairs_of_settings.of_values(rows, state, contract)
    yield from repairs_of_settings.of_blank_services(rows, state, contract)
    yield from workspace.steps(state)
    yield from _other_providers(contract, state)


def _without_effect(contract: Contract, state: State) -> dict[str, tuple[str, ...]]:
    """Settings of the contract that read as Rocket.Chat's own value, and which modules the licence lacks."""
    if state.modules is None:
        return {}
    known = catalogue.for_version(state.version)
    asked = ((name, value, known.setting(name)) for name, value in contract.settings.items())
    lacking = {
        name: tuple(module for module in row.modules if module not in state.modules)
        for name, value, row in asked
        if row and row.enterprise and not fulfils(name, row.invalid, value)
    }
    return {name: modules for name, modules in lacking.items() if modules}


def _other_providers(contract: Contract, state: State) -> Iterator[Action]:
    """Custom OAuth services that the contract's settings declare beside its own provider."""
    rows = {name: value for name, value in contract.settings.items() if provider.declared(name)}
    switches = {f"{provider.PREFIX}{key.capitalize()}": key for key in map(provider.declared, rows) if key}
    for switch, key in switches.items():
        if switch not in state.settings:
            yield Action("provider", key, None, True)
    inert = _without_effect(contract, state)
    # The switch comes last, as with the contract's own provider.
    for name in sorted(rows, key=switches.__contains__):
        if name not in inert and not state.holds(name, rows[name]):
            before, secret = state.settings.get(name), name.endswith("-secret")
            yield Action("setting", name, before, rows[name], secret=secret)


def _forced(name: str, value: Any, row: Document) -> Iterator[Notice]:
    """A variable of Rocket.Chat's environment sets it at each start, to another value."""
    if row.get("valueSource") == "processEnvValue" and row.get("processEnvValue") != value:
        variable = f"OVERWRITE_SETTING_{name}"
        forced = row.get("processEnvValue")
        text = f"{variable} in Rocket.Chat's environment sets it to {forced!r} at each start"
        yield Notice("setting-forced", name, f"{text}: change that variable to {value!r}, or take it away")


def _unlisted(name: str, value: Any, state: State, rows: dict[str, Document]) -> Iterator[Action | Notice]:
    """REST does not list it: this version has no such setting, or its row is gone, or it is hidden."""
    known = catalogue.for_version(state.version).setting(name)
    if known and not known.hidden and rows and name not in rows:
        yield inserted(repairs_of_settings.SETTINGS, repairs_of_settings.row_of(known), "its row is gone")
    elif known is None or not known.hidden:
        yield Notice("setting-unknown", name, "this Rocket.Chat has no such setting; it was not written")
    elif name in rows and rows[name].get("value") != value:
        yield Action("setting", name, rows[name].get("value"), value)
        yield from _forced(name, value, rows[name])


def _provider(
    contract: Contract, state: State, rows: dict[str, Document], documents: Documents | None
) -> Iterator[Action | Notice]:
    name, base = contract.provider.name, provider.base_id(contract.provider)
    if _unlicensed(state):
        if contract.chat.sso != "iframe-auth":
            raise _without_a_licence(state, name)
        return
    wanted = provider.settings(contract)
    missing = [row for row in wanted if row not in state.settings]
    present = {row: value for row, value in state.settings.items() if _is_row(row, base)}
    if missing and present:
        yield Action("provider", name, present, None, secret=True)
    if missing:
        yield Action("provider", name, None, True)
    changes = [
        Action(
            "setting",
            row,
            None if missing else state.settings[row],
            value,
            secret=row.endswith("-secret"),
        )
        for row, value in wanted.items()
        if missing or not state.holds(row, value)
    ]
    yield from changes
    secret = service.stored_secret(documents, contract) if documents else None
    if not changes and (problem := service.difference(contract, state.services, secret)):
        yield Action("service", name, problem, True)
    for row in sorted(row for row in state.settings if provider.misspelt(row)):
        if documents is None:
            text = "Rocket.Chat takes it for another service and removes yours: give --mongo-url"
            yield Notice("provider-misspelt", row, text, blocking=True)


def _unlicensed(state: State) -> bool:
    """Whether Custom OAuth would stay without effect here."""
    if catalogue.for_version(state.version).steps["custom_oauth_login"].allowed != "licence":
        return False
    return state.modules is not None and licences.CUSTOM_OAUTH not in state.modules


def _without_a_licence(state: State, name: str) -> LicenceMissingError:
    """Before anything is tried."""
    return LicenceMissingError(
        f"Rocket.Chat {state.version} has no licence module {licences.CUSTOM_OAUTH}: Custom OAuth {name!r} "
        "would have no effect; nothing was changed",
        expected="a version below 9.0, or the licence",
        where="GET /api/v1/licenses.info",
        next_step='use 8.x or older, or a licence; or sso = "iframe-auth" in [chat], see docs/iframe-auth.md',
    )


def _is_row(name: str, base: str) -> bool:
    return name == base or name.startswith(f"{base}-")


def _users(
    contract: Contract, state: State, data: Data | None, at_the_site: dict[str, str]
) -> Iterator[Action | Notice]:
    stranded = _stranded(data) if data else set()
    swapped = addresses.swapped(contract, state)
    for user in contract.users:
        _demand_one_holder(user, state, swapped)
    yield from addresses.set_aside(contract, state, swapped)
    for user in contract.users:
        account = addresses.then(user, state, swapped)
        unknown = {*user.chat_roles} - state.roles - ({*account.roles} if account else set())
        if unknown and state.roles:
            text = (
                f"Rocket.Chat has no role {', '.join(sorted(unknown))}: "
                "make it in Administration → Permissions, or take it out of that row"
            )
            yield Notice("role-unknown", f"users.{user.username}.chat_roles", text, blocking=True)
        if account is None:
            address = adoption.sent(user.email, at_the_site.get(user.username.lower()))
            after = {"name": user.full_name, "email": address, "roles": list(user.chat_roles)}
            yield Action("user", user.username, None, after)
            continue
        repair = _repair(user, account, state)
        if user.username == contract.chat.admin.username:
            own = {name: repair.pop(name) for name in _OWN_ADDRESS if name in repair}
            yield from _change("own-address", account, user, own)
        yield from _change("account", account, user, repair)
        if user.username in stranded:
            why = "it has neither a password nor a link to the site"
            yield Action("account", user.username, {"password": False}, {"password": True}, why=why)


def _change(kind: Kind, account: Account, user: User, wanted: dict[str, Any]) -> Iterator[Action]:
    if wanted:
        yield Action(kind, user.username, {name: _field(account, name) for name in wanted}, wanted)


def _stranded(data: Data) -> set[str]:
    """Accounts without a way to sign in."""
    return {str(user.get("username")) for user in data.users if not signs_in(user)}


def _demand_one_holder(user: User, state: State, swapped: addresses.Swaps) -> None:
    """Raise AccountClashError where two accounts could be this user; which of them it is, a person knows."""
    own = user.username.lower()
    holders = [
        name
        for name in state.addresses.get(user.email.lower(), ())
        if name.lower() != own and name not in swapped
    ]
    twice = own in state.doubles
    if not holders and not twice:
        return
    if twice:
        found = f"two accounts are named {user.username!r}, if capitals are left out of account"
        todo = "delete the one that is not linked to the site"
    else:
        found = f"e-mail {user.email} of canonical user {user.username!r} belongs to account {holders[0]!r}"
        todo = f"change the address of {holders[0]!r} or delete that account"
        if state.account(user.username) is None:
            todo = f"if {holders[0]!r} is {user.username!r} under another name, rename it back; else {todo}"
    raise AccountClashError(
        found,
        expected=f"no account but {user.username!r} with that name and address",
        where="Administration → Workspace → Users",
        next_step=f"{todo}; nothing was changed",
    )


def _repair(user: User, account: Account, state: State) -> dict[str, Any]:
    roles = {*account.roles, *user.chat_roles}
    roles &= state.roles | {*user.chat_roles} if state.roles else roles
    roles -= {"admin"} - {*user.chat_roles}
    wanted: dict[str, Any] = {
        "username": user.username,
        "name": user.full_name,
        "email": user.email if account.email.lower() != user.email.lower() else account.email,
        "verified": True,
        "roles": sorted(roles),
        "active": True,
    }
    repair = {name: value for name, value in wanted.items() if _field(account, name) != value}
    # Rocket.Chat marks a new address as it is told in the same call.
    return repair | ({"verified": True} if "email" in repair else {})


def _field(account: Account, name: str) -> Any:
    value = getattr(account, name)
    return sorted(value) if name == "roles" else value
