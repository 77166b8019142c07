"""Requests made from inside Rocket.Chat's container, where its server makes them.

In there a browser's address of the site means the container itself. A host's firewall may refuse what comes
from Docker's bridges. Either way the OAuth callback fails long after everything looked well from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from besedka import address
from besedka.errors import BesedkaError, ServiceUnreachableError
from besedka.stacks.docker.presence import engine_is_likely

HOST_NAME = "host.docker.internal"
# As long as Rocket.Chat's server waits for the site (`packages/server-fetch/src/index.ts`).
ANSWER_SECONDS = 20
# Rocket.Chat's image brings Node.js and neither curl nor, in all its variants, wget. What to ask comes by
# environment, so that nothing of it is taken for a script.
SCRIPT = """
const ask = JSON.parse(process.env.BESEDKA_ASK);
const tell = (answer) => console.log(JSON.stringify(answer));
const options = {method: ask.verb, headers: ask.headers, timeout: ask.seconds * 1000};
const http = require(ask.url.startsWith('https:') ? 'https' : 'http');
const request = http.request(ask.url, options, (answer) => {
  let body = '';
  answer.setEncoding('utf8');
  answer.on('data', (part) => { body += part; });
  answer.on('end', () => tell({status: answer.statusCode, type: answer.headers['content-type'] || '', body}));
});
request.on('timeout', () => request.destroy(new Error(`no answer in ${ask.seconds} s`)));
request.on('error', (error) => tell({error: String(error)}));
request.end(ask.body);
"""


def ask(
    container: Any, verb: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
) -> tuple[int, str, str]:
    """Status, content type and body of a request made inside; ServiceUnreachableError if none came.

    `container` is one of Docker's Python library. `url` is an address as the container knows it.
    """
    sent = dict(headers)
    body = urlencode(form or {})
    if form is not None:
        sent |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    told = {"verb": verb, "url": url, "headers": sent, "body": body, "seconds": ANSWER_SECONDS}
    status, output = container.exec_run(
        ["node", "-e", SCRIPT], environment={"BESEDKA_ASK": json.dumps(told)}, stderr=True
    )
    said = output.decode(errors="replace").strip()
    try:
        answer = json.loads(said.splitlines()[-1])
        if "error" not in answer:
            return int(answer["status"]), str(answer["type"]), str(answer["body"])
        why = str(answer["error"])
    except (ValueError, KeyError, IndexError, TypeError):
        why = f"node ended with status {status}: {said[-300:]}"
    place = url.partition("?")[0]
    raise ServiceUnreachableError(
        f"{verb} {place} from inside container {container.name} got no answer: {why}",
        expected="an HTTP answer",
        where=f"{place}, as container {container.name} knows it",
    )


def chat_container(chat_url: str) -> Any:
    """The running container of this machine that publishes Rocket.Chat's port; None where there is none.

    That is so where no engine answers this user and where Rocket.Chat is a process. It is so, too, where the
    image has no Node.js: nothing can be asked from inside.
    """
    parts = urlsplit(chat_url)
    if not address.is_loopback(parts.hostname or "") or not engine_is_likely():
        return None
    # A second of imports that a machine without Docker does without.
    from docker.errors import DockerException  # type: ignore[import-untyped]  # noqa: PLC0415

    from besedka.stacks.docker import engine  # noqa: PLC0415

    port = str(parts.port or (443 if parts.scheme == "https" else 80))
    try:
        for container in engine.find().client.containers.list(ignore_removed=True):
            bindings = (container.attrs["NetworkSettings"]["Ports"] or {}).values()
            if port in {row["HostPort"] for rows in bindings for row in rows or ()}:
                return container if container.exec_run(["node", "--version"])[0] == 0 else None
    except (BesedkaError, DockerException, OSError):
        return None
    return None


def provider_url(site_url: str) -> str | None:
    """Where a container reaches a site of this machine; None where the browser's address does as well."""
    parts = urlsplit(site_url)
    if not address.is_loopback(parts.hostname or ""):
        return None
    return f"{parts.scheme}://{HOST_NAME}" + (f":{parts.port}" if parts.port else "")
