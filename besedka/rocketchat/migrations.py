"""The number of Rocket.Chat's last migration, by version, as `migrations/control` holds it after a boot.

Sources: the highest number among `apps/meteor/server/startup/migrations/index.ts` when each release was made,
6.3 to 6.13; measured on a running 6.5.3 (Rocket.Chat issue #31635 too) and 6.13.0; 7.7.1 from its sources.
7.0 to 7.6 and everything after 7.7 are not known.
"""

from __future__ import annotations

_KNOWN = (((6, 3), (6, 3), 301), ((6, 4), (6, 4), 303), ((6, 5), (6, 13), 304), ((7, 7), (7, 7), 318))


def highest(version: str) -> int | None:
    """The greatest number that can belong to a version such as `6.13` or `7.7.1`; None where it is not known.

    Numbers only grow, so a version between two known ones has at most the later one's.
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    return next((number for _, last, number in _KNOWN if (major, minor) <= last), None)
