"""Overlays of the contract: what they change, and what they must not say twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka import contract
from besedka.contract import OVERLAYS_ENV
from besedka.errors import ContractError


def overlay(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(f'[overlay]\nname = "{name}"\nreason = "a test"\n{text}', "utf-8")
    return path


def test_a_table_is_merged_row_by_row_and_a_list_entry_by_entry(tmp_path: Path) -> None:
    base = contract.load(overlays=())
    room, kept = base.channels[0], base.channels[1]

    found = contract.load(
        overlays=[
            overlay(
                tmp_path,
                "one",
                f'[provider]\nscope = "read write"\n[[channels]]\nname = "{room.name}"\nlabel = "Другой"\n',
            )
        ]
    )

    assert found.provider.scope == "read write"
    assert found.provider.client_id == base.provider.client_id
    assert found.channels[0].label == "Другой"
    assert found.channels[0].default == room.default
    assert found.channels[1] == kept


def test_what_is_replaced_is_not_merged(tmp_path: Path) -> None:
    user = contract.load(overlays=()).users[0]
    row = f'[provider.groups]\n{user.role} = "all"\n'

    found = contract.load(overlays=[overlay(tmp_path, "one", f'replaces = ["provider.groups"]\n{row}')])

    assert found.provider.groups == {user.role: "all"}


def test_what_is_replaced_by_nothing_is_gone(tmp_path: Path) -> None:
    found = contract.load(overlays=[overlay(tmp_path, "one", 'replaces = ["provider.groups"]\n')])

    assert found.provider.groups == {}


def test_rows_about_the_site_go_along_where_it_moves(tmp_path: Path) -> None:
    base, here = contract.load(overlays=()), "http://127.0.0.1:8101"
    origin = "Iframe_Integration_receive_origin"
    row = f'[site]\nurl = "{here}"\n'

    moved = contract.load(overlays=[overlay(tmp_path, "one", row)])
    said = contract.load(overlays=[overlay(tmp_path, "two", f'{row}[provider]\nurl = "{base.site.url}"\n')])

    assert (moved.provider.url, moved.settings[origin], moved.own_provider_url) == (here, here, None)
    assert moved.settings["First_Channel_After_Login"] == base.settings["First_Channel_After_Login"]
    assert (said.provider.url, said.settings[origin]) == (base.site.url, here)


def test_a_site_that_moves_below_a_path_takes_its_provider_along(tmp_path: Path) -> None:
    here = "http://127.0.0.1:8101/portal"

    moved = contract.load(overlays=[overlay(tmp_path, "one", f'[site]\nurl = "{here}"\n')])

    assert (moved.provider.url, moved.own_provider_url) == (here, None)
    assert moved.settings["Iframe_Integration_receive_origin"] == "http://127.0.0.1:8101"


def test_the_environment_names_overlays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERLAYS_ENV, str(overlay(tmp_path, "one", '[chat]\nversion = "6.4.8"\n')))

    assert contract.load().chat.version == "6.4.8"


def test_two_overlays_that_differ_about_a_row_are_one_message(tmp_path: Path) -> None:
    first = overlay(tmp_path, "first", '[chat]\nversion = "6.4.8"\n')
    second = overlay(tmp_path, "second", '[chat]\nversion = "7.7.1"\n')

    with pytest.raises(ContractError) as refusal:
        contract.load(overlays=[first, second])

    text = refusal.value.text()
    assert "contradict each other about chat.version: '6.4.8' and '7.7.1'" in text
    assert str(first) in text
    assert str(second) in text
    assert text.count("found:") == 1


def test_an_overlay_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = overlay(tmp_path, "broken", "[chat\n")

    with pytest.raises(ContractError, match="not valid TOML") as refusal:
        contract.load(overlays=[broken])

    assert str(broken) in refusal.value.text()
