"""Workers follow the cores that a process may use, however the system says it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from impasse.flows.run import cores

FIRST = {"cpu,cpuacct/cpu.cfs_quota_us": "200000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}


def _system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own: str, files: dict[str, str], bound: int = 16) -> int:
    """How many cores are used where the system says this."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "own").write_text(own)
    monkeypatch.setattr(cores, "_OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(cores, "_GROUPS", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(bound)))
    return cores.usable_cores()


@pytest.mark.parametrize(
    ("own", "files", "usable"),
    [
        ("", {}, 16),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 16),
        ("0::/\n", {"cpu.max": "100000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2),
        ("0::/host/only\n", {"cpu.max": "400000 100000\n"}, 4),
        ("4:cpu,cpuacct:/x\n0::/\n", FIRST, 2),
        ("1:cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "-1", "cpu/x/cpu.cfs_period_us": "100000"}, 16),
        ("1:cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "300000\n", "cpu/x/cpu.cfs_period_us": "100000\n"}, 3),
        ("0::/\n", {"cpu.max": "nonsense"}, 16),
    ],
    ids=["nothing said", "no limit", "one", "half", "two and a half", "group around", "container", "v1 container",
         "v1 no limit", "v1 three", "nonsense"],
)  # fmt: skip
def test_a_share_of_the_machine_is_respected(
    own: str, files: dict[str, str], usable: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The smallest limit holds, rounded up; where none is stated all cores are used."""
    assert _system(monkeypatch, tmp_path, own, files) == usable


def test_a_process_bound_to_cores_uses_those(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its group may use more."""
    assert _system(monkeypatch, tmp_path, "0::/\n", {"cpu.max": "800000 100000"}, bound=2) == 2


def test_this_machine_has_a_core() -> None:
    """Whatever it says."""
    assert 1 <= cores.usable_cores() <= (os.cpu_count() or 1)
