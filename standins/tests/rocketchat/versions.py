"""What differs between versions of Rocket.Chat, as data: a fact, and since which version it is what."""

from __future__ import annotations

from typing import Any

Version = tuple[int, ...]

# Each list is in the order of versions; (0,) is 6.x and before.
CHANGES: dict[str, list[tuple[Version, Any]]] = {
    # Names in a 401's body: app/api/server/router.ts since 7.6, ApiClass.ts in 8.0.
    "names in a 401": [
        ((0,), {"status", "message"}),
        ((7, 6), {"status", "message", "success", "error"}),
        ((8,), {"success", "error"}),
    ],
    # (error, message) of a wrong password: loginErrorMessageOverride, PR #32159.
    "wrong password": [
        ((0,), (403, "Incorrect password")),
        ((7,), ("Unauthorized", "Unauthorized")),
    ],
    # `success` beside `status` in answers of login and logout: router.ts.
    "success in login": [((0,), False), ((7, 6), True)],
    # Status of a missing route permission: the handlers' own 400 before 7.0 (measured on 6.13.0), ApiClass.ts.
    "missing permission": [((0,), 400), ((7,), 403), ((8,), 401)],
    # Its words: measured on 6.13.0; v1/roles.ts of 7.7.1.
    "words of a missing permission": [
        ((0,), "Not allowed [error-not-allowed]"),
        ((7,), "User does not have the permissions required for this action [error-unauthorized]"),
    ],
    # An unknown path below /api/v1, GET and POST: measured on 6.13.0; router.ts since 7.6.
    "unknown path": [((0,), (200, 405)), ((7, 6), (404, 404))],
    # Whether `me` says who came by SSO: asked of 6.5.3; v1/misc.ts of 6.13.0-rc.1.
    "isOAuthUser in me": [((0,), False), ((6, 13), True)],
    # Whether an account that is linked already is adopted once more at each log-in: accounts_meld.js of 6.5.3 and
    # 6.13.0-rc.1; asked of 6.5.3.
    "adopts at every log-in": [((0,), True), ((6, 13), False)],
    # What joining without a join code is answered: measured on 6.5.3; PR #31270, released with 6.6.
    "no join code": [((0,), "error-code-invalid"), ((6, 6), "error-code-required")],
    # A body that is no JSON: measured on 6.13.0; router.ts, parseBodyParams.
    "broken body": [((0,), "text/html"), ((7, 6), "application/json")],
    # Who a public room says has added somebody: measured on 6.13.0; v1/channels.ts of 7.7.1.
    "message of channels.invite": [((0,), "uj"), ((7,), "au")],
    # What users.create says of an address in use: measured on 6.13.0; saveUser/validateUserData.ts of 7.7.1.
    "address in use": [((0,), (400, 403)), ((7,), (400, "error-field-unavailable"))],
    # Whether `query` and `fields` count, and `_id` of settings.public does: measured on 6.13.0 and 6.5.3; the release
    # notes of 7.0, PR #33787.
    "query counts": [((0,), True), ((7,), False)],
    "settings.public takes _id": [((0,), False), ((7,), True)],
    # Default_Referrer_Policy: none is sent by 6.13.0 (measured); cors.ts of 7.7.1.
    "referrer policy": [((0,), None), ((7,), "same-origin")],
    # Whether `resumeToken` is taken out of the address: not by 6.13.0 and 6.5.3 (measured); loginViaQuery.ts of 7.x.
    "resumeToken leaves the address": [((0,), False), ((7,), True)],
    # /livez, /readyz and JSON from /health: PR #36955.
    "livez": [((0,), False), ((7, 11), True)],
    # Whether a write straight into Mongo is live: PR #35981 turned the watchers off.
    "Mongo write is live": [((0,), True), ((7, 7), False)],
    # Whether e-mail 2FA can spare OAuth users: measured on 6.13.0 (PR #32945).
    "2FA exempts OAuth users": [((0,), False), ((6, 13), True)],
}


def at(version: Version, fact: str) -> Any:
    """The fact as this version has it."""
    return [value for since, value in CHANGES[fact] if version >= since][-1]
