"""`impasse layout`: a shipped layout is written out as it stands, and is a layout of one's own from then on."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from impasse.flows.cli.app import app
from tests.unit.deliveries import SCHEMAS, layout_of, study

NAMES = ("danish", "finnish", "generic", "swedish")


def test_every_layout_is_listed_with_its_registers() -> None:
    """Name and title, in order."""
    shown = CliRunner().invoke(app, ["layout", "list"])

    assert shown.exit_code == 0
    assert [line.split()[0] for line in shown.output.splitlines() if line and not line.startswith(" ")] == [
        *("layout", *NAMES)
    ]
    assert "Danish registers" in shown.output


@pytest.mark.parametrize("name", NAMES)
def test_a_layout_is_written_out_and_can_be_changed(tmp_path: Path, name: str) -> None:
    """Byte for byte, with its comments; a study then names the file, and what is changed in it holds."""
    shown = CliRunner().invoke(app, ["layout", "show", name])
    (tmp_path / "mine.toml").write_bytes(shown.stdout_bytes.replace(b"title = ", b'missing = ["?"]\ntitle = ', 1))

    assert shown.stdout_bytes == (SCHEMAS / "mappings" / f"{name}.toml").read_bytes()
    assert layout_of(study(layout="mine.toml"), tmp_path).missing == ("?",)


@pytest.mark.parametrize("name", ["swedisch", "../codelists/treatments"])
def test_a_layout_that_is_not_shipped(name: str) -> None:
    """Exit code 2 and the names there are; the nearest is proposed where one is near."""
    shown = CliRunner().invoke(app, ["layout", "show", name])

    assert (shown.exit_code, shown.stdout) == (2, "")
