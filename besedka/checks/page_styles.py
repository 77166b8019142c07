"""Styles that keep something from being seen, read without a browser and rule by rule."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
HIDES = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0*(\.0+)?\s*[;}!]"
    r"|pointer-events\s*:\s*none|(?<!-)(height|width)\s*:\s*0\w*\s*[;}!]|transform\s*:[^;}]*scale\(0\)"
    r"|(left|top|text-indent)\s*:\s*-\d{4,}|z-index\s*:\s*-|content-visibility\s*:\s*hidden"
)
_DECLARATION = re.compile(r"([\w-]+)\s*:\s*([^;]+)")
# Rules for print or small windows alone, and others in a block of their own.
_BLOCK = re.compile(r"@[^{};]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
_COMPOUND = re.compile(r"(\*|[a-z][\w-]*)?((?:[#.][\w-]+)*)", re.IGNORECASE)
# Elements that have no end.
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

Element = tuple[str, frozenset[str]]


class Surroundings(HTMLParser):
    """The styles of a page, and the element of each frame with all that it stands in.

    `sheets` are addresses, `inline` the texts of `<style>`. `frames` are its source and its elements, each as
    its tag and its `#id` and `.class`es, the frame itself last.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[str] = []
        self.inline: list[str] = []
        self.frames: list[tuple[str, tuple[Element, ...]]] = []
        self._open: list[Element] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a style, a frame, or what one may stand in."""
        fields = {name: value or "" for name, value in attrs}
        if tag == "link" and "stylesheet" in fields.get("rel", "").lower().split():
            if fields.get("media", "all").lower() in {"", "all", "screen"} and "disabled" not in fields:
                self.sheets.append(fields.get("href", ""))
        elif tag == "style":
            self.inline.append("")
        self._in_style = tag == "style"
        marks = {f".{name}" for name in fields.get("class", "").split()}
        element = tag, frozenset(marks | ({f"#{fields['id']}"} if fields.get("id") else set()))
        if tag == "iframe":
            self.frames.append((fields.get("src", ""), (*self._open, element)))
        if tag not in _VOID:
            self._open.append(element)

    def handle_data(self, data: str) -> None:
        """Note what stands in a style."""
        if self._in_style:
            self.inline[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """Leave that element, and what was left open in it."""
        self._in_style = False
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                del self._open[place:]
                return


def hiding(texts: Mapping[str, str], elements: tuple[Element, ...]) -> Iterator[tuple[str, str]]:
    """Where it stands and the rule, for each that keeps one of the elements from being seen.

    What a state or an attribute decides is left out: `[hidden]`, `:not(…)`. Of two rules for one property the
    weightier counts, or the later (https://www.w3.org/TR/css-cascade-4/#cascade-sort).
    """
    rules = [
        (place, " ".join(selectors.split()), body)
        for place, text in texts.items()
        for selectors, body in RULE.findall(_BLOCK.sub("", COMMENT.sub("", text)))
    ]
    for last in range(len(elements)):
        decided: dict[str, tuple[tuple[int, ...], str, str]] = {}
        for order, (place, selectors, body) in enumerate(rules):
            weight = max(
                (_weight(one.strip(), elements[: last + 1]) for one in selectors.split(",")), default=()
            )
            for name, value in _DECLARATION.findall(body) if weight else ():
                heavy = (int("!important" in value), *weight, order)
                if heavy >= decided.get(name.lower(), ((),))[0]:
                    told = HIDES.search(f"{name}: {value.strip()};")
                    rule = f"{selectors} {{{name}: {value.strip()}}}" if told else ""
                    decided[name.lower()] = heavy, place, rule
        yield from ((place, rule) for _, place, rule in decided.values() if rule)


def _weight(selector: str, elements: tuple[Element, ...]) -> tuple[int, ...]:
    """Its count of ids, classes and tags; empty where it does not take the last of the elements."""
    wanted = re.split(r"\s*[>~+\s]\s*", selector)
    if not _ends_with(wanted, elements):
        return ()
    tags = sum(not one.startswith(("*", "#", ".")) for one in wanted)
    return selector.count("#"), selector.count("."), tags


def _ends_with(wanted: list[str], elements: tuple[Element, ...]) -> bool:
    if not elements or not _is(wanted[-1], elements[-1]):
        return False
    around: Iterable[Element] = iter(elements[:-1])
    return all(any(_is(one, element) for element in around) for one in wanted[:-1])


def _is(compound: str, element: Element) -> bool:
    parts = _COMPOUND.fullmatch(compound)
    if parts is None or not compound:
        return False
    tag, marks = parts[1], frozenset(re.findall(r"[#.][\w-]+", parts[2]))
    return (tag in {None, "*"} or tag.lower() == element[0]) and marks <= element[1]
