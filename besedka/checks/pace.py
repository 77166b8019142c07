"""Layer `iframe`, the limits on what a client may ask over its socket.

Rocket.Chat's own values are from apps/meteor/server/settings/rate.ts, 6.x and 7.x. Below them its own client
is answered `too-many-requests` while it loads: a room stays empty, a message grey.
"""

from __future__ import annotations

from besedka.checks.check import Check, check
from besedka.checks.examination import Examination
from besedka.checks.finding import Answer, Severity, answer, finding
from besedka.contract import Contract

_ALLOWED, _ENABLED = "_Requests_Allowed", "_Enabled"
_OWN = {
    "DDP_Rate_Limit_IP": 120_000,
    "DDP_Rate_Limit_User": 1_200,
    "DDP_Rate_Limit_Connection": 600,
    "DDP_Rate_Limit_User_By_Method": 20,
    "DDP_Rate_Limit_Connection_By_Method": 10,
}


@check("iframe.pace", codes="few", needs=["services.admin"])
def pace(examination: Examination) -> Answer:
    """May a client ask as much as Rocket.Chat's own does while it loads?"""
    found = []
    for name, own in _OWN.items():
        setting_id = f"{name}{_ALLOWED}"
        allowed = examination.effective.get(setting_id)
        if setting_id in examination.contract.settings or not isinstance(allowed, (int, float)):
            continue
        if allowed < own and examination.effective.get(f"{name}{_ENABLED}", True):
            found.append(
                finding(
                    "iframe.pace.few",
                    f"{setting_id} is {allowed:g}",
                    f"{own} or more",
                    examination.where(setting_id),
                    advice=(
                        f"Set {setting_id} to {own}, Rocket.Chat's own value: below it the client is "
                        "answered too-many-requests while it loads.",
                    ),
                    severity=Severity.RISK,
                )
            )
    return answer(found, evidence="Rocket.Chat's own limits, or higher ones")


def checks(_: Contract) -> tuple[Check, ...]:
    """The check of this part."""
    return (pace,)
