"""Prefect takes its settings from the environment and from the user's profile, and from no file where it is started.

A study is often run in its own folder, and what lies there may have been sent by others. Prefect would take settings
from three files of that folder (`.env`, `prefect.toml`, `pyproject.toml`), the handlers of its log among them, which
may be any program. Nothing that a user sets can keep it from that, so it is done to the classes that read them. Where
Prefect runs a deployment it has read its files before, and nothing is changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

_PATHS = {"PREFECT_HOME", "PREFECT_PROFILES_PATH"}


def load_prefect() -> None:
    """Import Prefect so that it reads no file of the current folder, neither now nor later in this process."""
    for name in _PATHS & os.environ.keys():
        stated = os.environ.pop(name)  # Prefect would take an empty one for the current folder
        if stated:
            os.environ[name] = str(Path(stated).expanduser().absolute())
    with chdir(Path(__file__).parent):  # it looks for settings as it is imported
        from prefect.settings import base, sources

        os.environ.setdefault("PREFECT_PROFILES_PATH", str(sources._get_profiles_path()))
    sources.TomlConfigSettingsSourceBase._read_files = lambda source, files, *more: {}
    for settings in _below(base.PrefectBaseSettings):
        settings.model_config["env_file"] = None


def _below(settings: type) -> Iterator[type]:
    for one in settings.__subclasses__():
        yield one
        yield from _below(one)
