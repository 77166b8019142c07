"""Layer `rooms`, the message box: what takes it from people who are members all the same."""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Finding, Severity, Skipped, answer, finding
from besedka.contract import Contract
from besedka.rocketchat import rights

_AIR_GAP = "Cloud_Workspace_AirGapped_Restrictions_Remaining_Days"
_DEFAULT_ROLES = "Accounts_Registration_AuthenticationServices_Default_Roles"
_LENGTH, _SHORTEST = "Message_MaxAllowedSize", 100
_E2E, _E2E_PRIVATE = "E2E_Enable", "E2E_Enabled_Default_PrivateRooms"
# Named by the calls of besedka/provision, and of doctor, which removes its temporary users.
_PROVISIONS = (
    "access-permissions",
    "add-oauth-service",
    "add-user-to-joined-room",
    "assign-roles",
    "create-c",
    "create-p",
    "create-user",
    "delete-user",
    "edit-other-user-info",
    "edit-privileged-setting",
    "edit-room",
    "view-d-room",
    "view-full-other-user-info",
    "view-privileged-setting",
    "view-room-administration",
)
_SHOWN = 5


@check("rooms.writing", codes="air_gapped encrypted short air_gap_near encrypts_new", needs=["rooms.exist"])
def writing(examination: Examination) -> Answer:
    """Does every room of the contract take messages from its members?"""
    found: list[Finding] = []
    # 7.x: apps/meteor/ee/app/license/server/airGappedRestrictions.ts; -1 is "no restriction".
    if examination.effective.get(_AIR_GAP) == 0:
        advice = (
            "Register the workspace and let Rocket.Chat reach the Internet: a workspace that has not "
            "reported for days is read-only for everybody.",
        )
        found.append(
            finding(
                "rooms.writing.air_gapped",
                "no days are left: the workspace is read-only, no room has a message box",
                "-1, no restriction",
                examination.where(_AIR_GAP),
                advice=advice,
            )
        )
    found += _soon(examination)
    for channel in examination.contract.channels:
        room = examination.roster.rooms[channel.name]
        if room.encrypted:
            advice = (
                f"Switch encryption off in the settings of {room.name}: members without the room's key "
                "neither read nor write.",
            )
            place = f"rocketchat_room, {room.id}, encrypted"
            seen = f"{room.name} is end-to-end encrypted"
            found.append(finding("rooms.writing.encrypted", seen, "not encrypted", place, advice=advice))
    return answer(found, evidence=f"{len(examination.contract.channels)} rooms")


def _soon(examination: Examination) -> list[Finding]:
    """What refuses a message for its length, and what will refuse messages one day."""
    days, length = (examination.effective.get(name) for name in (_AIR_GAP, _LENGTH))
    found = []
    if (
        isinstance(length, int)
        and length < _SHORTEST
        and examination.contract.settings.get(_LENGTH) != length
    ):
        fix = f"Set {_LENGTH} to 5000, Rocket.Chat's own value: a longer message is refused."
        seen = f"messages may have {length} characters"
        where = examination.where(_LENGTH)
        found.append(finding("rooms.writing.short", seen, "5000", where, advice=(fix,)))
    if isinstance(days, int) and days > 0:
        fix = "Let Rocket.Chat reach the Internet: after that the whole workspace is read-only."
        seen = f"{days} days are left until nobody can write"
        where = examination.where(_AIR_GAP)
        code, expected = "rooms.writing.air_gap_near", "-1, no restriction"
        found.append(finding(code, seen, expected, where, advice=(fix,), severity=Severity.RISK))
    if examination.effective.get(_E2E) and examination.effective.get(_E2E_PRIVATE):
        fix = f"Switch {_E2E_PRIVATE} off: a private room made now has a key that its members lack."
        where = examination.where(_E2E_PRIVATE)
        code, seen = "rooms.writing.encrypts_new", "each new private room is end-to-end encrypted"
        found.append(finding(code, seen, "not encrypted", where, advice=(fix,), severity=Severity.RISK))
    return found


@check("rooms.permissions", codes="cannot_read provisioning", needs=["rooms.exist"], after=["rooms.roles"])
def permissions(examination: Examination) -> Answer:
    """May each canonical user open the rooms that they are members of?"""
    holders = examination.permissions
    # Who has no role at all is told of by rooms.roles.
    roles = {name: one.roles for name, one in examination.roster.accounts.items() if one.roles}
    found = _of_the_administrator(examination)
    for private in (False, True):
        wanted = (rights.ANY_ROOM, rights.of_kind(private=private))
        unable = rights.kept_out(examination.contract, holders, roles, private=private)
        if unable:
            kind = "private" if private else "public"
            commands = (examination.provision_command,) if wanted[1] in holders else ()
            advice = (
                f"Give {wanted[1]} back to the role `user` in Administration → Permissions. Where it is not "
                "listed there, restart Rocket.Chat: it makes its permissions anew at each start.",
                "A member opens a room by view-joined-room or by the permission of the room's kind.",
            )
            found.append(
                finding(
                    "rooms.permissions.cannot_read",
                    f"{', '.join(unable[:_SHOWN])} may not open {kind} rooms: no role has "
                    f"{' or '.join(wanted)}",
                    f"{wanted[1]} for a role of each",
                    "Administration → Permissions",
                    commands=commands,
                    advice=advice,
                    evidence=unable[:_SHOWN],
                )
            )
    return answer(found, evidence="view-joined-room or the permission of the room's kind, for each")


def _of_the_administrator(examination: Examination) -> list[Finding]:
    """What provisioning does as the administrator, and would be refused."""
    account = examination.roster.accounts.get(examination.contract.chat.admin.username.lower())
    held, roles = examination.permissions, account.roles if account else {"admin"}
    missing = [name for name in _PROVISIONS if name in held and not held[name] & roles]
    if not missing:
        return []
    return [
        finding(
            "rooms.permissions.provisioning",
            f"the administrator lacks {', '.join(missing)}",
            "for the role admin",
            "Administration → Permissions",
            advice=(f"Give {', '.join(missing)} back to the role admin: Administration → Permissions.",),
            severity=Severity.RISK,
        )
    ]


@check("rooms.new_people", codes="no_role administrators", needs=["services.admin"])
def new_people(examination: Examination) -> Answer:
    """Does a first log-in by SSO give the role that the contract's people have?"""
    if _DEFAULT_ROLES not in examination.effective:
        return Skipped("this version has no setting for the roles of accounts made by SSO")
    given = {name.strip() for name in str(examination.effective[_DEFAULT_ROLES] or "").split(",")} - {""}
    users = examination.contract.users
    wanted = set.intersection(*(set(user.chat_roles) for user in users)) - {"admin"} if users else set()
    missing = wanted - given
    if "admin" in given and _DEFAULT_ROLES not in examination.contract.settings:
        return answer([_administrators(examination, given)])
    if not missing and given:
        return answer((), evidence=", ".join(sorted(given)))
    # A name that no permission is given to is misspelt.
    known = given & set().union(*examination.permissions.values())
    expected = ",".join(sorted(known | wanted or {"user"}))
    return answer(
        [
            finding(
                "rooms.new_people.no_role",
                f"accounts made by SSO get the roles {sorted(given) or 'none at all'}",
                expected,
                examination.where(_DEFAULT_ROLES),
                advice=(f"Set it to {expected}: without a role somebody new sees and writes nothing.",),
            )
        ]
    )


def _administrators(examination: Examination, given: set[str]) -> Finding:
    expected = ",".join(sorted(given - {"admin"}) or ["user"])
    return finding(
        "rooms.new_people.administrators",
        "each account made by SSO becomes an administrator of the chat",
        expected,
        examination.where(_DEFAULT_ROLES),
        advice=(f"Set it to {expected}, and take the role from those who have got it since.",),
    )


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (writing, permissions, new_people)
