"""Runs that are not done, among folders that somebody has changed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from impasse.flows.cli import demo
from impasse.flows.cli.app import app
from impasse.flows.run import unfinished
from impasse.flows.server import own_server


@pytest.mark.parametrize("text", ["[1]", "null", '{"started": "x"}', '{"started": null}', "3", "{", "[" * 100_000])
@pytest.mark.parametrize("name", ["started.json", "progress.json"])
def test_a_folder_changed_by_hand_counts_as_none(tmp_path: Path, name: str, text: str) -> None:
    """The next run is numbered as if it had no number."""
    (tmp_path / ".work-a").mkdir()
    (tmp_path / ".work-a" / name).write_text(text)
    (tmp_path / ".work-b").mkdir()
    (tmp_path / ".work-b" / "started.json").write_text('{"started": 4}')

    assert unfinished.next_number(tmp_path, tmp_path) == 5


def test_nothing_to_resume_is_said_before_a_server_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, with what to do."""
    monkeypatch.setattr(own_server, "begun", lambda: pytest.fail("a server is begun"))
    study = demo.write_demo(tmp_path, 100)
    done = CliRunner().invoke(app, ["run", str(study), "--resume"])

    assert done.exit_code == 2
    assert "There is no run to resume." in done.output
    assert "Run it without --resume." in done.output
