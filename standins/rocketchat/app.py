"""The ASGI application: REST, sockets, the OAuth callback, and the pages."""

import importlib
import json
import mimetypes
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from standins.rocketchat.api import dispatch, sign_in
from standins.rocketchat.config import Config
from standins.rocketchat.envelope import answer
from standins.rocketchat.headers import SecurityHeaders
from standins.rocketchat.oauth.callback import callback, end_script
from standins.rocketchat.path_prefix import PathPrefix
from standins.rocketchat.registry import Call
from standins.rocketchat.rest_chat import CONSTANTS
from standins.rocketchat.server import Server
from standins.rocketchat.uploads import browser, file


class _AnyText(StringConvertor):
    """The rest of an address, line breaks too, which Starlette's own `path` leaves to its own 404."""

    regex = r"[\s\S]*"


register_url_convertor("any", _AnyText())
_AVATAR = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">
<rect width="200" height="200" fill="#6c727a"/>
<text x="100" y="140" font-size="110" text-anchor="middle" fill="#fff">{}</text></svg>"""
CLIENT = Path(__file__).with_name("client")
_SHELL = (CLIENT / "index.html").read_text(encoding="utf-8")
# Importing them declares their routes and methods.
HANDLERS = (
    *("login", "users", "settings_api", "rest_rooms", "rest_chat", "rest_roles", "client_methods"),
    *("marks", "search", "own_rooms", "uploads"),
)


async def info(request: Request) -> Response:
    """GET /api/info: major.minor for anybody, the whole version for `view-statistics`."""
    server: Server = request.app.state.server
    version, call = server.config.version, Call(server, headers=dict(request.headers))
    await sign_in(server, call)
    body: dict[str, Any] = {"version": version.rpartition(".")[0]}
    if call.user is not None and await call.may("view-statistics"):
        build = {"platform": "Rocket.Chat stand-in"}
        body = {"version": version, "info": {"version": version, "build": build}}
    return answer(body | {"minimumClientVersions": {"desktop": "3.9.6"}, "success": True})


async def health(request: Request) -> Response:
    """GET /health is text up to 7.10; /livez, /readyz and JSON came in 7.11 (PR #36955)."""
    newer = request.app.state.server.config.since(7, 11)
    if request.url.path != "/health" and not newer:
        return await shell(request)
    return answer({"status": "ok"}) if newer else PlainTextResponse("ok")


async def advance_clock(request: Request) -> Response:
    """POST /__standin__/clock {"advance_seconds": n}: the stand-in's own, only with --movable-clock."""
    server: Server = request.app.state.server
    try:
        seconds = (await request.json())["advance_seconds"]
    except (ValueError, KeyError, TypeError):
        seconds = None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 10**9:
        return answer({"success": False, "error": "advance_seconds: wanted a number of 0 or more"}, 400)
    server.clock.advance(seconds)
    return answer({"success": True, "now": server.now()})


async def runtime_config(request: Request) -> Response:
    """What Meteor's client reads first; it throws where `meteorEnv` is missing (client_environment.js)."""
    server: Server = request.app.state.server
    config = {
        "meteorRelease": "METEOR@3.1.2",
        "meteorEnv": {"NODE_ENV": "production", "TEST_METADATA": "{}"},
        "isModern": True,
        "ROOT_URL": server.root_url,
        "ROOT_URL_PATH_PREFIX": server.config.path_prefix,
        "autoupdate": {"versions": {}},
        "accountsConfigCalled": True,
        # Without it the client's `Meteor.settings` is undefined and nothing starts (measured on 6.5.3).
        "PUBLIC_SETTINGS": {},
        # Only WebSockets are served; without the word the client falls back to SockJS's polling under load.
        "DISABLE_SOCKJS": True,
    }
    text = quote(json.dumps(config))
    return Response(
        f'__meteor_runtime_config__ = JSON.parse(decodeURIComponent("{text}"))', media_type="text/javascript"
    )


async def stub(request: Request) -> Response:
    """GET /api/apps/...: no apps are installed."""
    return answer({"success": True} | CONSTANTS["apps"].get(request.path_params["name"], {}))


async def avatar(request: Request) -> Response:
    """GET /avatar/<username> or /avatar/room/<id>: the initial on a square, as where there is no picture.

    A stranger gets the address's, to be kept by nobody, where pictures are for who is signed in: by
    default since 6.12 (`server/routes/avatar/middlewares/auth.js`, PR #33035).
    """
    server: Server = request.app.state.server
    kind, _, rid = request.path_params["name"].partition("/")
    name, headers = rid or kind, {"Cache-Control": "public, max-age=3600"}
    blocked = server.settings.get("Accounts_AvatarBlockUnauthenticatedAccess")
    if blocked and (await browser(request)).user is None:
        headers = {}
    elif kind == "room":
        room = await server.rooms.find_one({"_id": rid}, {"fname": 1, "name": 1})
        name = (room or {}).get("fname") or (room or {}).get("name") or ""
    letter = escape(name.lstrip("@")[:1].upper())
    return Response(_AVATAR.format(letter), media_type="image/svg+xml", headers=headers)


async def shell(request: Request) -> Response:
    """The same page, with 200, for every address that no other route takes."""
    if request.method not in {"GET", "HEAD"}:
        return Response(status_code=405)
    config: Config = request.app.state.server.config
    traits = " ".join(config.client_mood)
    # In these the page asks nobody (#36820, #36919; client/views/root/hooks/useIframe.ts without its effect).
    silent = " data-iframe-login=silent" if config.since(7, 8) and not config.since(7, 9, 4) else ""
    page = _SHELL.replace("<html", f'<html data-mood="{traits}"{silent}', 1) if traits or silent else _SHELL
    page = page.replace('href="/"', f'href="{escape(config.path_prefix)}/"', 1)
    # As it stands, unescaped (app/ui-master/server/index.js, 6.x and 7.x).
    custom = str(request.app.state.server.settings.get("Meta_custom") or "")
    page = page.replace("</head>", f"{custom}</head>", 1) if custom else page
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})


def client_files() -> Callable[[Request], Awaitable[Response]]:
    """GET /__client__/<name>: our client's modules, read once.

    The browser keeps them for a minute, because SSO loads the page twice in a row.
    """
    headers = {"Cache-Control": "public, max-age=60"}
    files = {path.name: path.read_bytes() for path in CLIENT.iterdir()}
    kinds = {name: mimetypes.guess_type(name)[0] for name in files}

    async def serve(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            return Response(status_code=404)
        return Response(files[name], media_type=kinds[name], headers=headers)

    return serve


def declare_handlers() -> None:
    """Fill the tables of routes and methods."""
    for name in HANDLERS:
        importlib.import_module(f"standins.rocketchat.{name}")


def build(server: Server) -> Starlette:
    """The application for a server that has started."""
    declare_handlers()
    sockets = importlib.import_module("standins.rocketchat.sockets").routes
    mimetypes.add_type("text/javascript", ".js")
    every = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
    routes: list[Any] = [
        Route("/api/info", info),
        Route("/api/v1/{path:any}", dispatch, methods=every),
        Route("/api/apps/{name:path}", stub),
        Route("/_oauth/{service}", callback, methods=["GET", "POST"]),
        # The service is the second part of the path, whatever follows it (oauth_server.js).
        Route("/_oauth/{service}/", callback, methods=["GET", "POST"]),
        Route("/oauth/{service}", importlib.import_module("standins.rocketchat.oauth.modern").begin),
        Route("/packages/oauth/end_of_redirect_response.js", end_script),
        Route("/packages/oauth/end_of_popup_response.js", end_script),
        *(Route(path, health) for path in ("/health", "/livez", "/readyz")),
        Route("/meteor_runtime_config.js", runtime_config),
        # The stand-in's pages bring their own texts.
        Route("/i18n/{language}", lambda _: answer({})),
        Route("/favicon.ico", lambda _: FileResponse(CLIENT / "favicon.svg", media_type="image/svg+xml")),
        Route("/__client__/{name}", client_files()),
        Route("/avatar/{name:path}", avatar),
        Route("/file-upload/{id}/{name:path}", file),
    ]
    if server.config.movable_clock:
        routes.append(Route("/__standin__/clock", advance_clock, methods=["POST"]))
    routes += [route for route in sockets if isinstance(route, Route | WebSocketRoute)]
    page: Callable[[Request], Awaitable[Response]] = shell
    client = server.config.chat_client
    if client is not None:
        routes, page = [*client.routes(server.settings.get), *routes], client.page
    middleware = [Middleware(SecurityHeaders, settings=server.settings)]
    if server.config.path_prefix:
        middleware.append(Middleware(PathPrefix, prefix=server.config.path_prefix))
    app = Starlette(routes=routes, middleware=middleware)
    app.router.routes.append(Route("/{path:any}", page, methods=every))
    app.state.server, app.state.page = server, page
    return app
