"""ROOT_URL with a path: Meteor takes it off each request (packages/webapp/webapp_server.js)."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from standins.rocketchat.config import read_config
from standins.rocketchat.path_prefix import PathPrefix

pytestmark = pytest.mark.conformance

MONGO = {"MONGO_URL": "mongodb://127.0.0.1:1/rocketchat"}


async def _seen(request: Request) -> Response:
    return PlainTextResponse(request.url.path)


BELOW = Starlette(
    routes=[Route("/{path:path}", _seen)], middleware=[Middleware(PathPrefix, prefix="/team/chat")]
)


def _ask(path: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=BELOW)
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            return await client.get(path)

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/team/chat", "/"),
        ("/team/chat/", "/"),
        ("/team/chat/channel/general", "/channel/general"),
        ("/favicon.ico", "/favicon.ico"),
    ],
)
def test_what_lies_below_is_asked_without_the_prefix(path: str, inner: str) -> None:
    assert _ask(path).text == inner


@pytest.mark.parametrize("path", ["/", "/team", "/team/chatter", "/api/info"])
def test_what_lies_outside_is_unknown(path: str) -> None:
    found = _ask(path)

    assert (found.status_code, found.text) == (404, "Unknown path")


@pytest.mark.parametrize(
    ("root_url", "prefix"),
    [("http://host", ""), ("http://host/", ""), ("http://host/chat/", "/chat"), ("https://h:1/a/b", "/a/b")],
)
def test_the_prefix_is_root_urls_path(root_url: str, prefix: str) -> None:
    assert read_config(MONGO | {"ROOT_URL": root_url}, None, None).path_prefix == prefix
