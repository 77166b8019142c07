"""The health command of MongoDB, which initiates the replica set: run by Node.js against a made-up shell."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from besedka.stacks.docker import compose

# What mongosh offers, as far as the command uses it. `rs.initiate` and `rs.reconfig` make a primary.
SHELL = """
const told = JSON.parse(process.argv[1]);
const done = [];
let config = told.config, primary = told.primary;
const rs = {
  conf() {
    if (told.refuses) { throw Object.assign(new Error(told.refuses), {codeName: told.refuses}); }
    if (!config) { throw Object.assign(new Error('none'), {codeName: 'NotYetInitialized'}); }
    return config;
  },
  initiate(wanted) { done.push(['initiate', wanted]); },
  reconfig(wanted, options) { done.push(['reconfig', wanted, options]); },
};
const db = {hello: () => ({isWritablePrimary: primary})};
const quit = (status) => { console.log(JSON.stringify({done, status})); process.exit(0); };
"""
GOOD = {"_id": "rs0", "version": 3, "members": [{"_id": 0, "host": "mongo:27017", "priority": 1}]}


def asked(**told: Any) -> dict[str, Any]:
    node = compute_driver_executable()[0]
    script = compose.load(variables={})["mongo"].health_command[-1]
    finished = subprocess.run(
        [str(node), "-e", SHELL + script, json.dumps({"config": None, "primary": False, **told})],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    answer: dict[str, Any] = json.loads(finished.stdout)
    return answer


def test_an_empty_volume_is_initiated() -> None:
    answer = asked()

    assert answer["done"] == [["initiate", {"_id": "rs0", "members": [{"_id": 0, "host": "mongo:27017"}]}]]
    assert answer["status"] == 1, "healthy before there is a primary"


def test_a_set_that_is_well_is_left_alone() -> None:
    assert asked(config=GOOD, primary=True) == {"done": [], "status": 0}


def test_a_set_without_a_primary_is_not_healthy() -> None:
    assert asked(config=GOOD) == {"done": [], "status": 1}


@pytest.mark.parametrize("host", ["localhost:27017", "172.18.0.3:27017", "rocketchat-mongo-1:27017"])
def test_an_old_volume_gets_the_address_that_works(host: str) -> None:
    old = GOOD | {"members": [{"_id": 4, "host": host, "priority": 1}]}

    (step,) = asked(config=old)["done"]

    name, wanted, options = step
    assert (name, options) == ("reconfig", {"force": True})
    assert wanted["members"] == [{"_id": 4, "host": "mongo:27017", "priority": 1}]
    assert wanted["version"] == 4


def test_members_of_yesterday_are_dropped() -> None:
    old = GOOD | {"members": [*GOOD["members"], {"_id": 1, "host": "other:27017"}]}  # type: ignore[misc]

    (step,) = asked(config=old)["done"]

    assert [member["host"] for member in step[1]["members"]] == ["mongo:27017"]


def test_another_refusal_initiates_nothing() -> None:
    with pytest.raises(AssertionError, match="Unauthorized"):
        asked(refuses="Unauthorized")
