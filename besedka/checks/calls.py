"""Layer `services`: do all kinds of Rocket.Chat's calls get through, or does something stop some of them?"""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Severity, answer, finding
from besedka.contract import Contract
from besedka.rocketchat.rest import Json, NotRocketChatError, RocketChatError

# Nothing has changed since then: the answers are short.
_LATER = "2100-01-01T00:00:00.000Z"
# One of each kind that exists from 6.4 on, and changes nothing. A refusal of Rocket.Chat's own is an answer.
_ASKED: dict[str, Json] = {
    "service.configurations": {},
    "settings.public": {"count": 1},
    "users.list": {"count": 1},
    "rooms.get": {"updatedSince": _LATER},
    "channels.list": {"count": 1},
    "groups.list": {"count": 1},
    "subscriptions.get": {"updatedSince": _LATER},
    "roles.list": {},
    "chat.getMessage": {"msgId": "doctor-no-such-message"},
}
# Who signs in by the frame needs this one: the web client makes its log-in of it.
_OF_THE_LOG_IN = "service.configurations"
# What a proxy or a gateway says of itself, in JSON at times.
_STOPPED = {401, 403, 404, 405, 406, 413, 429, 501}
ADVICE = (
    "Let the proxy or firewall pass all of /api/v1/ on to Rocket.Chat, with GET and POST, PUT and DELETE.",
    "Rocket.Chat itself answers each call with JSON: what came is somebody else's word.",
)


@check("services.calls", codes="stopped", needs=["services.admin"])
def calls(examination: Examination) -> Answer:
    """Does each kind of call reach Rocket.Chat, or is one stopped on its way?"""
    stopped = {path: told for path in _ASKED if (told := _stopped(examination, path))}
    if not stopped:
        return answer([], evidence=f"{len(_ASKED)} kinds of calls")
    first = next(iter(stopped))
    seen = f"{', '.join(stopped)}: {stopped[first]}"
    # Doctor itself reads people and rooms by them where it has no database.
    needed = _OF_THE_LOG_IN in stopped or examination.target.mongo_url is None
    severity = Severity.BROKEN if needed else Severity.RISK
    place = f"GET {examination.contract.chat.url}/api/v1/{first}"
    code, expected = "services.calls.stopped", "Rocket.Chat's JSON"
    return answer([finding(code, seen, expected, place, advice=ADVICE, severity=severity)])


def _stopped(examination: Examination, path: str) -> str:
    """What came in Rocket.Chat's place; empty where it answered itself."""
    try:
        examination.admin.get(path, **_ASKED[path])
    except NotRocketChatError as error:
        return error.found.partition(" answered ")[2] or error.found
    except RocketChatError as error:
        # JSON, and neither `success` nor a kind of error as Rocket.Chat has them.
        if error.status in _STOPPED and error.code == "unknown":
            return f"{error.status} with JSON that is none of Rocket.Chat's"
    return ""


def checks(_: Contract) -> tuple[Check, ...]:
    """The checks of this part."""
    return (calls,)
