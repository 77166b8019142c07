"""What set-up does again, what not, and what it leaves behind when it fails. Nothing is run for real."""

import contextlib
import json
import shutil
from collections import namedtuple
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bootstrap import apt, project
from bootstrap.errors import SetupError, Status
from bootstrap.project import ALL, BASE, STAMP, Project
from bootstrap.uv import Uv

Usage = namedtuple("Usage", "total used free")


class Programs:
    """Stands for uv, `python -m venv` and pip: notes the calls, and makes the files that they would make."""

    def __init__(self, subject: Project) -> None:
        self.subject = subject
        self.calls: list[str] = []
        self.pip_fails = ""
        self.uv: Uv | None = None
        self.uv_fails = ""

    @contextlib.contextmanager
    def installed(self, _: Path) -> Iterator[Uv | None]:
        yield self.uv

    def execute(
        self, argv: list[str], *, keep_open: tuple[int, ...], more: Mapping[str, str], told: bool
    ) -> tuple[int, str]:
        assert not told, "a line of the installer's would be shown"
        if "venv" in argv:
            assert keep_open
            self.calls.append("uv venv" if argv[0] == "uv" else "venv")
            self.subject.libraries.mkdir(parents=True, exist_ok=True)
            self.subject.scripts.mkdir(parents=True, exist_ok=True)
            self.subject.python.touch()
            return 0, ""
        assert "--require-hashes" in argv
        assert not (self.subject.venv / STAMP).exists()
        self.calls.append("uv" if argv[0] == "uv" else "pip")
        (self.subject.libraries / "nothing-1.0.dist-info").mkdir(exist_ok=True)
        failed = self.uv_fails if argv[0] == "uv" else self.pip_fails
        return (1, failed) if failed else (0, "")


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    (tmp_path / "requirements.lock").write_text("nothing==1.0\n")
    (tmp_path / "requirements-base.lock").write_text("")
    subject = Project(tmp_path)
    monkeypatch.setattr(subject.browsers, "seen", lambda: [["/a/browser"]])
    monkeypatch.setattr(subject.browsers, "find", lambda: "/a/browser")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 2**40))
    return subject


@pytest.fixture
def programs(subject: Project, monkeypatch: pytest.MonkeyPatch) -> Programs:
    programs = Programs(subject)
    monkeypatch.setattr(project, "execute", programs.execute)
    monkeypatch.setattr(project, "installed", programs.installed)
    return programs


def test_the_second_run_has_nothing_to_do(subject: Project, programs: Programs) -> None:
    for _ in range(2):
        subject.set_up()
        assert subject.browser() == "/a/browser"
        assert programs.calls == ["venv", "pip"]
    assert not (subject.root / ".besedka").exists()


def test_a_changed_lock_is_installed_over(subject: Project, programs: Programs) -> None:
    subject.set_up()
    subject.lock_file.write_text("nothing==1.1\n")
    subject.set_up()
    assert programs.calls == ["venv", "pip", "pip"]


def test_a_package_that_went_is_installed_again(subject: Project, programs: Programs) -> None:
    subject.set_up()
    (subject.libraries / "nothing-1.0.dist-info").rmdir()
    subject.set_up()
    assert programs.calls == ["venv", "pip", "pip"]


@pytest.mark.parametrize(
    "damage", ["no stamp", "half a stamp", "a list", "moved", "other Python", "no python"]
)
def test_a_venv_nobody_vouches_for_is_made_anew(subject: Project, programs: Programs, damage: str) -> None:
    subject.set_up()
    stamp = subject.venv / STAMP
    held = json.loads(stamp.read_text())
    match damage:
        case "no stamp":
            stamp.unlink()
        case "half a stamp":
            stamp.write_text(stamp.read_text()[:20])
        case "a list":
            stamp.write_text("[]")
        case "moved":
            stamp.write_text(json.dumps(held | {"home": ["/before", *held["home"][1:]]}))
        case "other Python":
            stamp.write_text(json.dumps(held | {"home": [held["home"][0], 3, 10]}))
        case "no python":
            subject.python.unlink()
    subject.set_up()
    assert programs.calls == ["venv", "pip"] * 2


@pytest.mark.skipif("sys.platform == 'win32'", reason="links need a right there")
def test_what_a_linked_venv_leads_to_is_left_alone(
    subject: Project, programs: Programs, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of another checkout: `python -m venv --clear` would follow the link and empty it."""
    other = subject.root / "another checkout" / ".venv"
    other.mkdir(parents=True)
    (other / STAMP).write_text(json.dumps({"home": ["/another", 3, 11]}))
    subject.venv.symlink_to(other)

    subject.set_up()

    assert programs.calls == ["venv", "pip"]
    assert (subject.venv.is_symlink(), subject.venv.is_dir()) == (False, True)
    assert [path.name for path in other.iterdir()] == [STAMP]
    assert f"{other} is left alone" in capsys.readouterr().err


def test_another_browser_is_looked_for_without_installing(
    subject: Project, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject.set_up()
    subject.browser()
    monkeypatch.setattr(subject.browsers, "seen", lambda: [["/another/browser"]])
    monkeypatch.setattr(subject.browsers, "find", lambda: "/another/browser")
    subject.set_up()
    assert subject.browser() == "/another/browser"
    assert programs.calls == ["venv", "pip"]


def test_a_failed_first_installation_leaves_nothing(subject: Project, programs: Programs) -> None:
    programs.pip_fails = "[Errno 28]"
    with pytest.raises(SetupError) as caught:
        subject.set_up()
    assert caught.value.status is Status.NO_SPACE
    assert {path.name for path in subject.root.iterdir()} == {ALL.lock, BASE.lock}


@pytest.mark.parametrize(
    ("output", "after"), [("", ["pip"]), ("Installing collected packages: x", ["venv", "pip"])]
)
def test_a_failed_renewal_costs_the_old_one_only_if_it_was_touched(
    subject: Project, programs: Programs, output: str, after: list[str]
) -> None:
    subject.set_up()
    subject.lock_file.write_text("nothing==1.1\n")
    programs.pip_fails = output + "\nNewConnectionError"
    with pytest.raises(SetupError) as caught:
        subject.set_up()
    assert caught.value.status is Status.NO_NETWORK
    programs.pip_fails = ""
    programs.calls.clear()
    subject.set_up()
    assert programs.calls == after


def test_a_browser_that_is_missing_does_not_cost_the_installation(
    subject: Project, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise SetupError(Status.NO_BROWSER, "none", expected="one", where="PATH", next_step="install one")

    with monkeypatch.context() as without_browser:
        without_browser.setattr(subject.browsers, "find", none)
        subject.set_up()
        with pytest.raises(SetupError, match="none"):
            subject.browser()
    subject.set_up()
    assert programs.calls == ["venv", "pip"]


def test_too_little_space_is_told_before_anything_is_made(
    subject: Project, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 100 * 2**20))
    with pytest.raises(SetupError, match="100 MB free") as caught:
        subject.set_up()
    assert caught.value.status is Status.NO_SPACE
    assert not programs.calls
    assert not subject.venv.exists()


def test_a_missing_lock_file_is_told(subject: Project, programs: Programs) -> None:
    subject.lock_file.unlink()
    with pytest.raises(SetupError) as caught:
        subject.set_up()
    assert "requirements.lock" in caught.value.rows["where"]
    assert not programs.calls


def test_debian_without_ensurepip_says_which_package(
    subject: Project, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "has_venv_module", lambda: False)
    monkeypatch.setattr(apt, "usable", lambda: False)
    with pytest.raises(SetupError) as caught:
        subject.set_up()
    assert caught.value.status is Status.NO_VENV
    assert "-venv" in caught.value.rows["next step"]
    assert not programs.calls


def test_root_on_debian_gets_ensurepip_installed(
    subject: Project, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(project, "has_venv_module", lambda: bool(installed))
    monkeypatch.setattr(project, "base_python", lambda: "/usr/bin/python3")
    monkeypatch.setattr(apt, "usable", lambda: True)
    monkeypatch.setattr(apt, "install", installed.append)
    subject.set_up()
    assert len(installed) == 1
    assert programs.calls == ["venv", "pip"]


@pytest.mark.parametrize("fails", [False, True])
def test_a_venv_that_is_a_link_keeps_what_it_leads_to(
    subject: Project, programs: Programs, tmp_path: Path, fails: bool
) -> None:
    others = tmp_path / "venv of another project"
    others.mkdir()
    (others / STAMP).write_text("{}")
    (others / "precious").touch()
    subject.venv.symlink_to(others)
    programs.pip_fails = "no network" if fails else ""

    if fails:
        with pytest.raises(SetupError):
            subject.set_up()
    else:
        subject.set_up()

    assert {path.name for path in others.iterdir()} == {STAMP, "precious"}
    assert (others / STAMP).read_text() == "{}"
    assert subject.venv.is_symlink() == fails


@pytest.fixture
def uv(subject: Project, programs: Programs) -> Uv:
    programs.uv = Uv("uv", "uv 1.2.3", subject.root)
    return programs.uv


def test_uv_installs_where_it_is_to_be_had(
    subject: Project, programs: Programs, uv: Uv, capsys: pytest.CaptureFixture[str]
) -> None:
    subject.set_up()
    assert programs.calls == ["uv venv", "uv"]
    assert f"with {uv.name}" in capsys.readouterr().err


def test_uv_needs_no_ensurepip(
    subject: Project, programs: Programs, uv: Uv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "has_venv_module", lambda: False)
    subject.set_up()
    assert programs.calls == ["uv venv", "uv"]


def test_pip_is_tried_where_uv_does_not_understand_the_index(
    subject: Project, programs: Programs, uv: Uv, capsys: pytest.CaptureFixture[str]
) -> None:
    programs.uv_fails = "error: a scheme that nobody knows"
    subject.set_up()
    assert programs.calls == ["uv venv", "uv", "venv", "pip"]
    assert "a scheme that nobody knows" in capsys.readouterr().err


@pytest.mark.parametrize("said", ["No space left on device (os error 28)", "Hash mismatch for `x==1`"])
def test_what_pip_would_not_do_better_is_not_tried(
    subject: Project, programs: Programs, uv: Uv, said: str
) -> None:
    programs.uv_fails = said
    with pytest.raises(SetupError):
        subject.set_up()
    assert "pip" not in programs.calls
    programs.uv_fails = ""
    subject.set_up()
    assert programs.calls == ["uv venv", "uv"] * 2


def test_what_doctor_needs_is_installed_first_and_the_rest_over_it(
    subject: Project, programs: Programs
) -> None:
    Project(subject.root, BASE).set_up()
    Project(subject.root, BASE).set_up()
    subject.set_up()
    # Who has everything has what doctor needs.
    Project(subject.root, BASE).set_up()
    assert programs.calls == ["venv", "pip", "pip"]


@pytest.mark.parametrize("damage", ["changed lock", "no stamp", "moved", "package gone"])
def test_doctor_takes_nobodys_tests_away(subject: Project, programs: Programs, damage: str) -> None:
    """A .venv that had everything gets everything again, whichever command finds it unfit."""
    subject.set_up()
    stamp = subject.venv / STAMP
    if damage == "changed lock":
        (subject.root / ALL.lock).write_text("nothing==1.1\n")
    elif damage == "no stamp":
        stamp.unlink()
    elif damage == "moved":
        stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"home": ["/elsewhere", 3, 11]}))
    else:
        (subject.libraries / "nothing-1.0.dist-info").rmdir()
    doctors = Project(subject.root, BASE)

    doctors.set_up()

    assert doctors.lock_file.name == ALL.lock
    assert doctors.stamp()["lock"] == doctors.lock_hash(ALL)


def test_doctor_installs_the_base_alone_where_nothing_was(subject: Project, programs: Programs) -> None:
    doctors = Project(subject.root, BASE)

    doctors.set_up()

    assert doctors.lock_file.name == BASE.lock
