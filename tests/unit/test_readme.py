"""The two READMEs say the same, and everything in docs/ is two clicks away."""

import re
from pathlib import Path

from besedka.contract import PROJECT_ROOT

ENGLISH, RUSSIAN = (PROJECT_ROOT / name for name in ("README.md", "README.ru.md"))
LINES = 120
LINES_OF_A_PAGE = 300
PAGES = set((PROJECT_ROOT / "docs").rglob("*.md"))
LINK = re.compile(r"\]\(([^)#]+)")


def commands(page: Path) -> list[str]:
    """The commands of a page, without what is said of them."""
    rows = [line for line in page.read_text("utf-8").splitlines() if line.startswith("    ")]
    return [re.sub(r"\s+#.*", "", row).strip() for row in rows]


def headings(page: Path) -> list[str]:
    return [line.partition(" ")[0] for line in page.read_text("utf-8").splitlines() if line.startswith("#")]


def linked(page: Path) -> set[Path]:
    """The files of the project that a page leads to."""
    links = LINK.findall(page.read_text("utf-8"))
    return {(page.parent / link).resolve() for link in links if "://" not in link}


def test_the_russian_one_keeps_step() -> None:
    assert commands(RUSSIAN) == commands(ENGLISH)
    assert len(commands(ENGLISH)) > 10
    assert headings(RUSSIAN) == headings(ENGLISH)
    assert linked(RUSSIAN) - {ENGLISH} == linked(ENGLISH) - {RUSSIAN}


def test_both_are_short() -> None:
    for page in (ENGLISH, RUSSIAN):
        assert len(page.read_text("utf-8").splitlines()) <= LINES


def test_no_page_is_long() -> None:
    long = {
        page.name: count
        for page in PAGES
        if (count := len(page.read_text("utf-8").splitlines())) > LINES_OF_A_PAGE
    }
    assert len(PAGES) > 20
    assert not long


def test_every_page_is_two_clicks_away() -> None:
    near = linked(ENGLISH)
    pages = {page for page in near if page.suffix == ".md"}
    reached = near.union(*(linked(page) for page in pages))
    assert reached >= PAGES
    assert all(page.exists() for page in reached)
