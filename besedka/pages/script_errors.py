"""What the site's own scripts failed with in a page: the browser tells its console alone."""

from __future__ import annotations

from playwright.sync_api import Error, Page


class ScriptErrors:
    """Listens to one page from now on."""

    def __init__(self, page: Page, site_url: str, chat_url: str) -> None:
        self._chat_url = chat_url
        self._site_url = site_url
        self._said: list[str] = []
        page.on("pageerror", self._failed)

    def sentence(self) -> str:
        """The first failure of a script; nothing where there was none."""
        return f"a script of the page failed: {self._said[0]}" if self._said else ""

    def _failed(self, error: Error) -> None:
        # A syntax error tells no place; what the chat's own client throws has the chat's address in it.
        if self._chat_url in (error.stack or "") and self._site_url not in (error.stack or ""):
            return
        lines = [line.strip() for line in (error.stack or "").splitlines() if self._site_url in line]
        self._said.append(" ".join([f"{error.name}: {error.message}", *lines[:1]]))
