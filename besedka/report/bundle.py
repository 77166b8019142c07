"""One archive of a run to send to somebody: what the scrubber could read, scrubbed, and a list of it.

Texts in UTF-8, archives of them, and the pixels of PNG pictures go in. Anything else stays out and stands in
the list with the reason: nobody can tell whether a secret is in it.
"""

from __future__ import annotations

import io
import platform
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from besedka.report.model import PAGE_FILE, RUN_FILE, Run
from besedka.scrub import Scrubber

LIST, VERSIONS = "LIST.txt", "versions.txt"
_FILES = (RUN_FILE, PAGE_FILE, "doctor.json", "configuration.json")
_FOLDERS = ("evidence", "logs", "again")
_LARGEST = 100 * 2**20
_PNG = b"\x89PNG\r\n\x1a\n"
# The chunks that make the picture; the others hold texts and profiles (PNG, third edition, 4.7).
_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}


class UnreadableError(Exception):
    """The scrubber cannot read it; the text says why."""


@dataclass
class Bundle:
    """What went in, with its size in bytes, and what stayed out, with the reason."""

    included: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def text(self, run: Run) -> str:
        """The list that stands in the archive."""
        rows = [
            f"Run {run.id}: {run.verdict}. Passwords, tokens, codes and cookies are taken out.",
            "",
            "Inside:",
        ]
        rows += [f"{size:>12,}  {name}" for name, size in self.included.items()]
        if self.left_out:
            rows += ["", "Left out:", *(f"  {name}: {reason}" for name, reason in self.left_out.items())]
        return "\n".join(rows) + "\n"


def write(folder: Path, to: Path, scrubber: Scrubber) -> Bundle:
    """Bundle the run in `folder`. Raises OSError where the archive cannot be written."""
    run, made = Run.read(folder / RUN_FILE), Bundle()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name: str, data: bytes) -> None:
            archive.writestr(name, data)
            made.included[name] = len(data)

        for path in _chosen(folder):
            name = scrubber.text(path.relative_to(folder).as_posix())
            try:
                add(name, _read(path, folder, scrubber))
            except UnreadableError as error:
                made.left_out[name] = str(error)
        add(VERSIONS, versions(run).encode())
        archive.writestr(LIST, made.text(run))
    return made


def versions(run: Run) -> str:
    """What ran where: services, Python, the machine's system, every installed package."""
    rows = [f"{row.name} {row.version} ({row.nature})" for row in (run.stack.services if run.stack else ())]
    rows += [f"Python {platform.python_version()}", platform.platform()]
    packages = {f"{each.name} {each.version}" for each in metadata.distributions()}
    return "\n".join([*rows, "", *sorted(packages, key=str.lower)]) + "\n"


def _chosen(folder: Path) -> Iterator[Path]:
    yield from (folder / name for name in _FILES if (folder / name).exists())
    for name in _FOLDERS:
        yield from sorted(
            path for path in (folder / name).rglob("*") if not path.is_dir() or path.is_symlink()
        )


def _read(path: Path, folder: Path, scrubber: Scrubber) -> bytes:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise UnreadableError("it leads out of the run's folder")
    try:
        if path.stat().st_size > _LARGEST:
            raise UnreadableError(f"larger than {_LARGEST // 2**20} MiB")
        return cleaned(path.read_bytes(), scrubber)
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {error.strerror}") from None


def cleaned(data: bytes, scrubber: Scrubber) -> bytes:
    """The same without secrets. Raises UnreadableError for what is neither text, archive nor picture."""
    if data.startswith(_PNG):
        return _pixels(data)
    if data.startswith(b"PK\x03\x04"):
        return _archive(data, scrubber)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("neither text in UTF-8 nor a PNG picture nor an archive") from None
    if "\0" in text:
        raise UnreadableError("no text: it holds zero bytes")
    return scrubber.data(data)


def _pixels(data: bytes) -> bytes:
    """The picture without what is no picture: texts, profiles, and whatever follows its end."""
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        if kind in _PIXELS:
            kept.append(data[at:end])
        if kind == b"IEND" and end <= len(data):
            return b"".join(kept)
        at = end
    raise UnreadableError("a PNG picture that is cut short")


def _archive(data: bytes, scrubber: Scrubber) -> bytes:
    """The archive of what can be read in it; the rest stays out, and a file in it says so."""
    made, left = io.BytesIO(), []
    try:
        with (
            zipfile.ZipFile(io.BytesIO(data)) as source,
            zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as to,
        ):
            if sum(entry.file_size for entry in source.infolist()) > _LARGEST:
                raise UnreadableError(f"an archive of more than {_LARGEST // 2**20} MiB")
            for entry in source.infolist():
                if entry.is_dir():
                    continue
                try:
                    to.writestr(scrubber.text(entry.filename), cleaned(source.read(entry), scrubber))
                except UnreadableError as error:
                    left.append(f"{scrubber.text(entry.filename)}: {error}")
            if left:
                to.writestr("LEFT-OUT.txt", "\n".join(left) + "\n")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise UnreadableError(f"an archive that cannot be read: {error}") from None
    return made.getvalue()
