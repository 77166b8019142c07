"""A question that is asked again before its time-out is believed.

One read time-out of four seconds blocked sixteen checks of a healthy Rocket.Chat 6.13.0. That was measured on
a machine loaded fifteen times over. Nobody at an address, and a refusal, are believed at once.
"""

from __future__ import annotations

from typing import Any

import requests

# The second time is worth waiting for: there is somebody, and he is slow.
LONGER = 3


def request(
    http: requests.Session, verb: str, address: str, *, timeout: float, again: bool, **options: Any
) -> requests.Response:
    """`http.request`; where `again`, a read time-out is asked once more, with three times the `timeout`."""
    try:
        return http.request(verb, address, timeout=timeout, **options)
    except requests.ReadTimeout:
        if not again:
            raise
        return http.request(verb, address, timeout=timeout * LONGER, **options)
