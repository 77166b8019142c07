"""`--chat-client DIR`: Rocket.Chat's own web client, from an unpacked bundle's `programs/web.browser`.

Read, put together and served as Meteor does: the manifest and its files as `webapp`, the page as
`boilerplate-generator`, dynamic modules as `dynamic-import`.
"""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

# A setting of the server by its id.
ReadSetting = Callable[[str], Any]
FORMAT = "web-program-pre1"
_PROGRAM, _PLACE, _MODULES = "program.json", Path("programs/web.browser"), "dynamic"
# The module `rocketchat.info.js` as it is compiled into the client (seen in 6.5.3:
# packages/rocketchat-version/plugin/compile-version.js writes it).
_VERSION = re.compile(rb"""\bInfo\s*=\s*\{\s*"?version"?\s*:\s*["'](\d+\.\d+\.\d+)""")
_ANY = {"Access-Control-Allow-Origin": "*"}
_KINDS = {"js": "application/javascript", "dynamic js": "application/javascript", "css": "text/css"}
# Where a bundle's server has its texts and moment's locales (seen in 6.5.3).
_TEXTS = ("assets/app/i18n", "npm/node_modules/@rocket.chat/i18n/src/locales")
_LOCALES = ("assets/app/moment-locales",)
_OWN_TEXTS = Path(__file__).with_name("texts") / "ru.json"
# As Rocket.Chat injects them (seen in 6.5.3). The client draws on them, and an error is what it says without.
_ICONS = "".join(
    f'<link rel="icon" sizes="{size}" type="image/{kind}" href="/assets/favicon{name}">'
    for size, kind, name in (
        ("16x16", "png", "_16.png"),
        ("32x32", "png", "_32.png"),
        ("any", "svg+xml", ".svg"),
    )
)
_YEAR, _DAY = 365 * 86400, 86400


class _Files(BaseRoute):
    """The manifest's files, which go before everything else (webapp_server.js, staticFilesMiddleware)."""

    def __init__(self, files: dict[str, tuple[Path, str | None, int]]) -> None:
        self.files = files

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        served = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return (Match.FULL if served and scope["path"] in self.files else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, kind, age = self.files[scope["path"]]
        headers = _ANY | {"Cache-Control": f"public, max-age={age}"}
        await FileResponse(path, headers=headers, media_type=kind)(scope, receive, send)


def _version(path: Path, kind: str | None) -> str | None:
    found = _VERSION.search(path.read_bytes()) if kind == "js" else None
    return found[1].decode() if found else None


class Bundle:
    """The client files of one bundle. Raises ValueError for a folder that holds none; the text says why.

    `version` is the one that the client says, None if it says none.
    """

    @classmethod
    def find(cls, folder: Path) -> Bundle:
        """The client of a bundle, of the folder that holds the bundle, or `programs/web.browser` itself."""
        places = (folder, folder / _PLACE, folder / "bundle" / _PLACE)
        return cls(next((place for place in places if (place / _PROGRAM).is_file()), folder))

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.version: str | None = None
        manifest = self._manifest()
        # Meteor lists neither them nor their folder in 6.5.3's manifest; without them no page appears.
        if not (self.root / _MODULES).is_dir():
            raise ValueError(f"the client loads {_MODULES}, which is not there; wanted the whole folder")
        self.files: dict[str, tuple[Path, str | None, int]] = {}
        self._urls: dict[str, list[str]] = {"css": [], "js": []}
        self._parts: dict[str, str] = {}
        for entry in manifest:
            path, kind, url = self._path(entry), entry.get("type"), entry.get("url")
            if kind in {"head", "body"}:
                self._parts[kind] = path.read_text(encoding="utf-8")
            elif isinstance(url, str) and entry.get("where") == "client":
                age = _YEAR if entry.get("cacheable") else _DAY
                self.files[unquote(url.partition("?")[0])] = path, _KINDS.get(str(kind)), age
                # Modules under dynamic/ are asked for one by one, whatever type they have.
                if kind in self._urls and not entry["path"].startswith("dynamic/"):
                    self._urls[kind].append(html.escape(url))
                    self.version = self.version or _version(path, kind)
        if not self._urls["js"]:
            raise ValueError("the manifest names no script of the client; wanted the whole folder")

    def _manifest(self) -> list[dict[str, Any]]:
        program = self.root / _PROGRAM
        if not program.is_file():
            raise ValueError("no program.json there; wanted a bundle's programs/web.browser")
        try:
            found = json.loads(program.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"program.json is no JSON: {error}") from error
        found = found if isinstance(found, dict) else {}
        if found.get("format") != FORMAT:
            raise ValueError(f"program.json has format {found.get('format')!r}, wanted {FORMAT!r}")
        manifest = found.get("manifest")
        if not isinstance(manifest, list) or not all(isinstance(entry, dict) for entry in manifest):
            raise ValueError("program.json has no manifest, wanted a list of files")
        return manifest

    def _path(self, entry: dict[str, Any]) -> Path:
        name = entry.get("path")
        # A link is followed: the folder's owner may keep its files elsewhere.
        path = Path(os.path.normpath(self.root / str(name)))
        if not isinstance(name, str) or not path.is_relative_to(self.root):
            raise ValueError(f"the manifest names {name!r}, wanted the path of a file below the folder")
        if not path.is_file():
            raise ValueError(f"the manifest names {name}, which is not there; wanted the whole folder")
        wanted, size = entry.get("size"), path.stat().st_size
        if isinstance(wanted, int) and wanted != size:
            raise ValueError(f"the manifest names {name}, which is cut off: {size} of {wanted} bytes")
        return path

    def routes(self, setting: ReadSetting) -> list[BaseRoute]:
        return [
            _Files(self.files),
            Route("/__meteor__/dynamic-import/fetch", self.modules, methods=["GET", "POST", "OPTIONS"]),
            Route("/__client__/flags.js", partial(self.flags, setting)),
            Route("/i18n/{language:path}", self.texts),
            Route("/assets/{name}", partial(self.asset, setting)),
        ]

    async def texts(self, request: Request) -> Response:
        """GET /i18n/<language>.json, with what the server of the bundle reads (`server/routes/i18n.ts`).

        A client without its server's folder gets the few Russian texts by which our tests find things.
        """
        language = request.path_params["language"].removesuffix(".json")
        served = language != request.path_params["language"]
        file = next((f for f in self._beside(_TEXTS, f"{language}.i18n.json") if f.is_file()), None)
        if file is None and language == _OWN_TEXTS.stem:
            file = _OWN_TEXTS
        if file is None or not served:
            return Response(status_code=400)
        return FileResponse(file, media_type="application/json")

    def locale(self, language: str) -> str:
        """The script of moment's locale; empty without the server's folder, which leaves dates English."""
        names = (language.lower(), language.lower().partition("-")[0])
        files = (file for name in names for file in self._beside(_LOCALES, f"{name}.js"))
        return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")

    def _beside(self, places: tuple[str, ...], name: str) -> list[Path]:
        """A file's possible places in the bundle's `programs/server`, which is beside `web.browser`."""
        server = self.root.parent / "server"
        return [server / place / name for place in places if re.fullmatch(r"[\w.-]+", name)]

    async def asset(self, setting: ReadSetting, request: Request) -> Response:
        """GET /assets/<name>: the default file of the setting `Assets_<name>` (`app/assets/server`)."""
        name = request.path_params["name"].partition(".")[0]
        value = setting(f"Assets_{name}")
        file = self.files.get(f"/{value.get('defaultUrl')}") if isinstance(value, dict) else None
        return FileResponse(file[0]) if file else Response(status_code=404)

    async def flags(self, setting: ReadSetting, _: Request) -> Response:
        """What Rocket.Chat injects as scripts of its own (`app/ui-master/server/scripts.ts`)."""
        rest = json.dumps(bool(setting("API_Use_REST_For_DDP_Calls")))
        return Response(f"window.USE_REST_FOR_DDP_CALLS = {rest};", media_type="text/javascript")

    async def page(self, request: Request) -> Response:
        """The shell; it still says in its title that the server is a stand-in."""
        prefix = html.escape(request.app.state.server.config.path_prefix)
        styles = "\n".join(
            f'<link rel="stylesheet" type="text/css" class="__meteor-css__" href="{prefix}{url}">'
            for url in self._urls["css"]
        )
        before, *after = re.split("<meteor-bundled-css[^<>]*>", self._parts.get("head", ""), maxsplit=1)
        head = "\n".join([before, styles, *after] if after else [styles, before])
        custom = str(request.app.state.server.settings.get("Meta_custom") or "")
        urls = ["/meteor_runtime_config.js", "/__client__/flags.js", *self._urls["js"]]
        scripts = "\n".join(f'<script type="text/javascript" src="{prefix}{url}"></script>' for url in urls)
        return HTMLResponse(
            f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><base href="{prefix}/">'
            f"<title>Rocket.Chat stand-in</title>\n{_ICONS}\n{head}{custom}</head>\n"
            f'<body>{self._parts.get("body", "")}<div id="react-root"></div>\n{scripts}\n</body></html>'
        )

    async def modules(self, request: Request) -> Response:
        """A tree of module names, answered with the tree of those that are there (dynamic-import)."""
        if request.method == "OPTIONS":
            asked = request.headers.get("access-control-request-headers", "*")
            allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": asked}
            return Response(headers=_ANY | allowed)
        if request.method != "POST":
            return PlainTextResponse(f"method {request.method} not allowed", 405, _ANY)
        try:
            # Thousands of small files: read beside the loop, which has others to answer meanwhile.
            tree = await asyncio.to_thread(self._read, (), await request.json())
        except (ValueError, RecursionError) as error:
            return PlainTextResponse(str(error), 400, _ANY)
        return Response(json.dumps(tree), media_type="application/json", headers=_ANY)

    def _read(self, parts: tuple[str, ...], tree: Any) -> Any:
        if not tree or isinstance(tree, list):
            return None
        if isinstance(tree, dict):
            found = {name: self._read((*parts, name), below) for name, below in tree.items()}
            return {name: source for name, source in found.items() if source is not None} or None
        # Meteor writes the colons of package names as underscores.
        folder = self.root / _MODULES
        try:
            path = Path(os.path.normpath(folder.joinpath(*(part.replace(":", "_") for part in parts))))
            return path.read_text(encoding="utf-8") if path.is_relative_to(folder) else None
        except (OSError, ValueError):
            return None
