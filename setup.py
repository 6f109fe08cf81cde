"""The four folders of the program, installed as one package: flows/ is impasse.flows. All else is in pyproject.toml."""

from setuptools import find_packages, setup

FOLDERS = ("flows", "transforms", "schemas", "reports")
found = find_packages(include=[pattern for folder in FOLDERS for pattern in (folder, f"{folder}.*")])

setup(
    packages=[f"impasse.{package}" for package in found],
    package_dir={f"impasse.{folder}": folder for folder in FOLDERS},
)
