"""Takes the README's picture anew: the owner's chat, signed in inside `/chat/test/` on the embedded stack.

.venv/bin/python -m docs.take_screenshot [--chat-client DIR]
.venv/bin/python -m docs.take_screenshot --rocketchat-bundle DIR --mongod PATH [--node PATH]
"""

from __future__ import annotations

import argparse

from playwright.sync_api import sync_playwright

from besedka import browser as browsers
from besedka import contract as contracts
from besedka.contract import PROJECT_ROOT
from besedka.pages.login import LoginPage
from besedka.pages.site import ChatTestPage
from besedka.stacks import embedded
from besedka.stacks.services import options
from besedka.stacks.services.options import ServiceOptions

PICTURE = PROJECT_ROOT / "docs" / "chat-signed-in.png"


def main() -> None:
    """Start a stack, sign two people in, let them talk, and save what the owner sees."""
    contract = contracts.load()
    programs = options.find(_wanted(), contract, say=print)
    with embedded.running(contract, programs=programs) as running, sync_playwright() as playwright:
        contract = running.contract
        browser = playwright.chromium.launch(
            executable_path=browsers.executable(lambda: playwright.chromium.executable_path),
            args=browsers.arguments(),
        )
        pages = []
        for username, text in (("test_user", "Всем привет!"), ("owner", "Добро пожаловать в Беседку.")):
            page = browser.new_context(locale="ru-RU", viewport={"width": 1100, "height": 640}).new_page()
            LoginPage(page, contract).open().sign_in_as(contract.user(username))
            chat_page = ChatTestPage(page, contract).open()
            chat_page.wait_for_chat().send(text)
            pages.append(page)
        pages[-1].screenshot(path=PICTURE)
        browser.close()


def _wanted() -> ServiceOptions:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option in ("--rocketchat-bundle", "--mongod", "--node", "--chat-client"):
        parser.add_argument(option)
    told = parser.parse_args()
    return ServiceOptions(
        mongod=told.mongod, bundle=told.rocketchat_bundle, node=told.node, chat_client=told.chat_client
    )


if __name__ == "__main__":
    main()
