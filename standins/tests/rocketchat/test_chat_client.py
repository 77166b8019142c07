"""`--chat-client DIR`: a bundle's `programs/web.browser` in place of the stand-in's own pages.

Rocket.Chat's own client is not to be had from a registry. The folder is made by the test in its layout. What
Meteor's server makes of such a folder: packages/webapp, boilerplate-generator and dynamic-import.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from besedka.contract import PROJECT_ROOT

from . import web_browser
from .chat import Chat
from .client import Answer
from .standin import ADMIN, ADMIN_PASSWORD, Standins

pytestmark = pytest.mark.conformance
STANDIN_ONLY = "is about an option of the stand-in"
_FETCH = "/__meteor__/dynamic-import/fetch"


@pytest.fixture(scope="module")
def served(standins: Standins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """A stand-in with a client in front."""
    folder = web_browser.write(tmp_path_factory.mktemp("bundle") / "programs" / "web.browser")
    web_browser.write_server(folder)
    with standins.running(options=("--chat-client", str(folder))) as standin:
        yield Chat(standin.url, ADMIN, ADMIN_PASSWORD)


def _fetch(chat: Chat, tree: Any) -> Answer:
    return chat.anybody().request("POST", _FETCH, data=json.dumps(tree))


@pytest.mark.parametrize("path", ["/", "/home", "/channel/general?layout=embedded"])
def test_every_page_is_put_together_from_the_manifest(served: Chat, path: str) -> None:
    """Styles where the head wants them, then the runtime's configuration, then the scripts (template-web.browser.js)."""
    page = served.anybody().request("GET", path)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    parts = [
        '<base href="/">',
        'name="before"',
        "meteor_css_resource",
        'name="after"',
        '<div id="react-root">',
    ]
    parts += ["/meteor_runtime_config.js", "flags.js", "meteor_js_resource"]
    places = [page.text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert "dynamic/" not in page.text, "modules are not loaded with the page (generator.js)"


def test_the_files_of_the_manifest_are_served(served: Chat) -> None:
    """By address without its query, decoded, with their types; those named by hash for a year (webapp_server.js)."""
    page = served.anybody().request("GET", "/").text
    for kind, text in (("css", web_browser.STYLE), ("javascript", web_browser.SCRIPT)):
        address = re.search(rf'"(/[0-9a-f]+\.{kind.replace("javascript", "js")}\?[^"]+)"', page)
        assert address
        answer = served.anybody().request("GET", address[1])
        assert (answer.status, answer.text) == (200, text)
        assert kind in answer.headers["Content-Type"]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000"
    assert served.anybody().request("GET", "/public/a%20b.txt").text == "with a blank"
    ours = served.anybody().request("GET", "/packages/oauth/end_of_redirect_response.js")
    assert ours.text == web_browser.OAUTH_END, "the bundle's file goes before the stand-in's"
    assert served.anybody().get("settings.public").status == 200, "the rest of the server is as ever"


def test_modules_are_answered_as_the_tree_of_those_that_are_there(served: Chat) -> None:
    """Colons become underscores; what is missing, outside or no file is left out (dynamic-import/server.js)."""
    view = {"meteor": {"temp:package": {"view.js": 1}}}
    found = {"meteor": {"temp:package": {"view.js": web_browser.MODULE}}}
    assert _fetch(served, {"node_modules": view}).body == {"node_modules": found}
    assert _fetch(served, {"node_modules": view | {"gone.js": 1}, "no": {"such": 1}}).body == {
        "node_modules": found
    }
    outside: list[Any] = [{"..": {"program.json": 1}}, {"..": {"..": {"secret.txt": 1}}}, {"/etc/passwd": 1}]
    for nothing in (
        {},
        {"a": 0},
        {"a": None},
        {"node_modules": 1},
        [1],
        5,
        {"a\0": 1},
        {"a" * 5000: 1},
        *outside,
    ):
        answer = _fetch(served, nothing)
        assert (answer.status, answer.text) == (200, "null"), nothing


def test_modules_are_asked_for_by_post_from_anywhere(served: Chat) -> None:
    """Access-Control-Allow-Origin for the page under another name; 405 for GET (dynamic-import/server.js)."""
    before = served.anybody().request(
        "OPTIONS", _FETCH, headers={"Access-Control-Request-Headers": "content-type"}
    )
    assert before.status == 200
    assert before.headers["Access-Control-Allow-Origin"] == "*"
    assert before.headers["Access-Control-Allow-Headers"] == "content-type"
    assert _fetch(served, {}).headers["Access-Control-Allow-Origin"] == "*"
    assert served.anybody().request("GET", _FETCH).status == 405
    assert served.anybody().request("POST", _FETCH, data="{").status == 400
    assert served.anybody().request("POST", _FETCH, data='{"a":' * 50_000).status == 400


def test_what_a_client_reads_first(served: Chat) -> None:
    """`meteorEnv` above all: without it Meteor's client throws before anything else (client_environment.js)."""
    text = served.anybody().request("GET", "/meteor_runtime_config.js?hash=x").text
    found = re.fullmatch(r'__meteor_runtime_config__ = JSON.parse\(decodeURIComponent\("(.*)"\)\)', text)
    assert found
    config = json.loads(unquote(found[1]))
    assert config["meteorEnv"] == {"NODE_ENV": "production", "TEST_METADATA": "{}"}
    assert config["PUBLIC_SETTINGS"] == {}, "Meteor.settings is undefined without it, and nothing starts"
    assert (config["isModern"], config["ROOT_URL"], config["ROOT_URL_PATH_PREFIX"]) == (True, served.url, "")
    flags = served.anybody().request("GET", "/__client__/flags.js").text
    assert flags == "window.USE_REST_FOR_DDP_CALLS = true;"


def test_texts_and_dates_are_those_of_the_bundles_server(served: Chat) -> None:
    """`server/routes/i18n.ts`: JSON, else 400 without a word; moment's locale also by the language alone."""
    texts = served.anybody().request("GET", "/i18n/ru.json")
    assert (texts.status, texts.text) == (200, web_browser.TEXTS)
    for address in ("/i18n/xx.json", "/i18n/ru", "/i18n/..%2fru.json"):
        assert served.anybody().request("GET", address).status == 400, address
    for language, script in (("ru", web_browser.LOCALE), ("ru-RU", web_browser.LOCALE), ("../ru", "")):
        assert served.anybody().method("loadLocale", language)["result"] == script


def test_a_client_alone_gets_the_few_texts_by_which_it_is_found(standins: Standins, tmp_path: Path) -> None:
    """`programs/web.browser` without its server's folder: Russian names of what tests look for, no dates."""
    folder = web_browser.write(tmp_path / "web.browser")
    with standins.running(options=("--chat-client", str(folder))) as standin:
        anybody = Chat(standin.url, ADMIN, ADMIN_PASSWORD).anybody()
        texts = json.loads(anybody.request("GET", "/i18n/ru.json").text)
        assert (texts["Message"], texts["Send"], texts["Join"]) == (
            "Сообщение",
            "Отправить",
            "Присоединиться",
        )
        assert anybody.request("GET", "/i18n/de.json").status == 400
        assert anybody.method("loadLocale", "ru")["result"] == ""


def test_an_asset_is_the_default_file_of_its_setting(served: Chat) -> None:
    """`Assets_favicon` names images/logo/icon.svg; a name without a setting is 404 (measured on 6.5.3)."""
    icon = served.anybody().request("GET", "/assets/favicon.svg")
    assert (icon.status, icon.text) == (200, web_browser.ICON)
    assert served.anybody().request("GET", "/assets/nope.png").status == 404
    page = served.anybody().request("GET", "/").text
    assert '<link rel="icon" sizes="any" type="image/svg+xml" href="/assets/favicon.svg">' in page


def test_reading_modules_holds_nobody_up(served: Chat) -> None:
    """Thousands of modules that are not there, each a look into the folder, and a question meanwhile."""
    many = {"node_modules": {f"package-{number}": {"index.js": 1} for number in range(20_000)}}
    with ThreadPoolExecutor(max_workers=1) as background:
        reading = background.submit(_fetch, served, many)
        answered = 0
        while not reading.done():
            assert served.anybody().request("GET", "/api/info").status == 200
            answered += 1
    assert reading.result().text == "null"
    assert answered > 3, "the server answered nobody while it looked for modules"


@pytest.mark.parametrize("place", ["programs/web.browser", ".", ".."])
def test_the_client_says_its_version_wherever_the_bundle_begins(tmp_path: Path, place: str) -> None:
    """In `web.browser`, in the bundle, in the folder it was unpacked into."""
    web_browser.write(tmp_path / "bundle" / "programs" / "web.browser", version="6.5.3")
    told = _run("--chat-client", str(tmp_path / "bundle" / place), "--client-version")
    assert (told.returncode, told.stdout) == (0, "6.5.3\n")


def test_a_server_of_another_major_version_refuses_the_client(tmp_path: Path) -> None:
    """A 6.5.3 client crashes on answers of 7.7.1 (measured)."""
    folder = web_browser.write(tmp_path / "web.browser", version="6.5.3")
    told = _run("--chat-client", str(folder), "--version", "7.7.1")
    assert told.returncode == 2
    assert "--chat-client is the client of 6.5.3, which --version 7.7.1 cannot serve" in told.stdout


def test_it_runs_in_a_browser(served: Chat, page: Page) -> None:
    """Environment, flag, style, and a module fetched and evaluated under the server's own policy (cors.ts)."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{served.url}/channel/general?layout=embedded")
    root = page.locator("#react-root")
    expect(root).to_have_text("client: production true true")
    expect(root).to_have_css("color", "rgb(1, 2, 3)")
    assert problems == []


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    """The stand-in told of a Mongo that is not there: what is wrong with the client is said before."""
    told = os.environ | {"MONGO_URL": "mongodb://127.0.0.1:9/x", "PYTHONPATH": str(PROJECT_ROOT)}
    command = [sys.executable, "-m", "standins.rocketchat", *options]
    return subprocess.run(
        command, env=told, cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def _program(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        program = json.loads((folder / "program.json").read_text(encoding="utf-8"))
        change(program)
        (folder / "program.json").write_text(json.dumps(program), encoding="utf-8")

    return apply


def _no_such_file(program: dict[str, Any]) -> None:
    program["manifest"][0]["path"] = "gone.css"


def _outside(program: dict[str, Any]) -> None:
    program["manifest"][0]["path"] = "../secret.txt"


def _link_to_nothing(folder: Path) -> None:
    (folder / "head.html").unlink()
    (folder / "head.html").symlink_to("gone.html")


_BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no such folder": (lambda folder: folder.rename(folder.with_name("elsewhere")), "no program.json there"),
    "no program.json": (lambda folder: (folder / "program.json").unlink(), "no program.json there"),
    "a folder of that name": (
        lambda folder: (folder / "program.json").replace(folder / "p") and (folder / "program.json").mkdir(),
        "no program.json there",
    ),
    "no JSON": (lambda folder: (folder / "program.json").write_text("{"), "program.json is no JSON"),
    "no object": (lambda folder: (folder / "program.json").write_text("[]"), "has format None"),
    "the server's program": (
        _program(lambda it: it.update(format="javascript-image-pre1")),
        "wanted 'web-program-pre1'",
    ),
    "no manifest": (_program(lambda it: it.pop("manifest")), "has no manifest"),
    "a manifest of names": (_program(lambda it: it.update(manifest=["app.js"])), "has no manifest"),
    "a file that is not there": (_program(_no_such_file), "the manifest names gone.css, which is not there"),
    "a file outside": (_program(_outside), "the manifest names '../secret.txt'"),
    "a file without a path": (_program(lambda it: it["manifest"][0].pop("path")), "the manifest names None"),
    "a link to nothing": (
        _link_to_nothing,
        "the manifest names head.html, which is not there",
    ),
    "half a file": (lambda folder: next(folder.glob("*.js")).write_text(""), "which is cut off: 0 of "),
    "no modules": (
        lambda folder: shutil.rmtree(folder / "dynamic"),
        "the client loads dynamic, which is not",
    ),
    "an empty manifest": (_program(lambda it: it.update(manifest=[])), "names no script of the client"),
    "no head": (lambda folder: (folder / "head.html").unlink(), "the manifest names head.html"),
}


def test_a_folder_of_links_is_a_client(tmp_path: Path) -> None:
    """As `cp -rs` makes it: what a link leads to is its owner's choice."""
    folder = web_browser.write(tmp_path / "programs" / "web.browser")
    linked = tmp_path / "linked"
    shutil.copytree(folder, linked, copy_function=lambda source, place: Path(place).symlink_to(source))
    ended = _run("--chat-client", str(linked), "--client-version")
    assert (ended.returncode, ended.stdout.strip()) == (0, web_browser.VERSION)


@pytest.mark.parametrize("bad", _BAD)
def test_a_folder_that_is_none_ends_it_with_one_line(tmp_path: Path, bad: str) -> None:
    """Before anything is written or listened to: status 2, what was found and what is wanted."""
    folder = web_browser.write(tmp_path / "programs" / "web.browser")
    spoil, words = _BAD[bad]
    spoil(folder)
    ended = _run("--chat-client", str(folder))
    assert ended.returncode == 2, ended.stdout
    assert f"--chat-client {folder}: " in ended.stdout
    assert words in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr
