"""`--chat-client DIR`: Rocket.Chat's own web client, from an unpacked bundle's `programs/web.browser`.

The page is put together from the bundle's manifest as Meteor's `boilerplate-generator` does, dynamic
modules are answered as its `dynamic-import` package does.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from standins.rocketchat.server import Server

_ANY = {"Access-Control-Allow-Origin": "*"}


class Bundle:
    """The client files of one bundle; `routes` serves them, `page` is the shell."""

    def __init__(self, root: Path) -> None:
        manifest = json.loads((root / "program.json").read_text(encoding="utf-8"))["manifest"]
        self.root = root.resolve()
        self.files = {
            entry["url"].partition("?")[0]: self.root / entry["path"]
            for entry in manifest
            if entry.get("where") == "client" and "url" in entry
        }
        self._urls = {
            kind: [
                html.escape(entry["url"])
                for entry in manifest
                if entry.get("type") == kind and "url" in entry
            ]
            for kind in ("css", "js")
        }
        self._parts = {
            entry["type"]: (root / entry["path"]).read_text(encoding="utf-8")
            for entry in manifest
            if entry.get("type") in ("head", "body")
        }

    def routes(self) -> list[Route]:
        return [
            Route("/__meteor__/dynamic-import/fetch", self.modules, methods=["POST", "OPTIONS"]),
            Route("/__client__/flags.js", self.flags),
            *(Route(url, self.file) for url in self.files),
        ]

    async def file(self, request: Request) -> Response:
        return FileResponse(self.files[request.url.path], headers=_ANY)

    async def flags(self, request: Request) -> Response:
        """What Rocket.Chat injects as scripts of its own (`app/ui-master/server/scripts.ts`)."""
        server: Server = request.app.state.server
        rest = json.dumps(bool(server.settings.get("API_Use_REST_For_DDP_Calls")))
        return Response(f"window.USE_REST_FOR_DDP_CALLS = {rest};", media_type="text/javascript")

    async def page(self, _: Request) -> Response:
        """The shell; it still says in its title that the server is a stand-in."""
        styles = "".join(
            f'<link rel="stylesheet" class="__meteor-css__" href="{url}">' for url in self._urls["css"]
        )
        urls = ["/meteor_runtime_config.js", "/__client__/flags.js", *self._urls["js"]]
        scripts = "".join(f'<script type="text/javascript" src="{url}"></script>' for url in urls)
        return HTMLResponse(
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><base href="/">'
            f"<title>Rocket.Chat stand-in</title>"
            f'{styles}{self._parts.get("head", "")}</head><body><div id="react-root"></div>'
            f"{self._parts.get('body', '')}{scripts}</body></html>"
        )

    async def modules(self, request: Request) -> Response:
        """A tree of module names, answered with the same tree of their sources."""
        if request.method == "OPTIONS":
            return Response(status_code=200, headers=_ANY | {"Access-Control-Allow-Methods": "POST"})
        try:
            tree = self._read((), await request.json())
        except (ValueError, OSError, RecursionError) as error:
            return Response(str(error), 400)
        return Response(json.dumps(tree), media_type="application/json", headers=_ANY)

    def _read(self, parts: tuple[str, ...], tree: Any) -> Any:
        if isinstance(tree, dict):
            return {name: self._read((*parts, name), below) for name, below in tree.items()}
        # Meteor writes the colons of package names as underscores.
        folder = self.root / "dynamic"
        path = folder.joinpath(*(part.replace(":", "_") for part in parts)).resolve()
        if not path.is_relative_to(folder):
            raise ValueError(f"no module: {'/'.join(parts)}")
        return path.read_text(encoding="utf-8")
