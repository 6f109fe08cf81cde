"""What says what to do: study, layout, code lists and definitions, read from their files.

Only definitions are read by commands that must answer at once; what reads the others is loaded when it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from impasse import schemas
from impasse.flows.files.texts import read_text, read_texts
from impasse.schemas import definition_file
from impasse.schemas.definition import Definition
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.labels import shared_labels

if TYPE_CHECKING:
    from impasse.schemas.codelists import CodeLists
    from impasse.schemas.concepts import OmopLists
    from impasse.schemas.mapping import Mapping
    from impasse.schemas.published import PublishedFigure
    from impasse.schemas.study import Study


OWN_LISTS = "codelists"  # the folder, in a user's folder of definitions, of code lists that it adds


def shipped(name: str) -> Path:
    """The path of something that is delivered with the program, such as `codelists` or `mappings/swedish.toml`."""
    return Path(schemas.__path__[0]) / name


def read_study(path: Path) -> Study:
    """The study file at `path`."""
    from impasse.schemas import study

    return study.parse(path.name, read_text(path))


def read_figures() -> tuple[PublishedFigure, ...]:
    """What papers published for shipped definitions."""
    from impasse.schemas.published import parse_figures

    return parse_figures(read_text(shipped("published.csv")))


def read_codelists(folders: Sequence[Path] = ()) -> CodeLists:
    """The code lists delivered with the program, and what the user's folders add to them."""
    from impasse.schemas import codelist_files, own_codelists

    lists = codelist_files.parse(read_texts(shipped("codelists"), "*.csv"))
    for folder in folders:
        lists = own_codelists.with_added(lists, _own_texts(folder / OWN_LISTS), f"{folder / OWN_LISTS}")
    return lists


def own_list_texts(folders: Sequence[Path]) -> dict[str, str]:
    """The text of every file of code lists in the user's folders; of later folders the names end with their number."""
    read = enumerate((_own_texts(folder / OWN_LISTS) for folder in folders), start=1)
    return {f"{name}{f'_{n}' * (n > 1)}.csv": text for n, texts in read for name, text in texts.items()}


def _own_texts(lists: Path) -> dict[str, str]:
    """The texts of a folder of code lists, which may be missing."""
    if (lists.exists() or lists.is_symlink()) and not lists.is_dir():
        raise ImpasseError(
            f"{OWN_LISTS} is no folder.",
            where=f"{lists}",
            expected=f"a folder {OWN_LISTS} with the files of code lists, or none",
            do="Put the file into a folder of this name, or give it another name.",
        )
    return read_texts(lists, "*.csv")


def read_definitions(folders: Sequence[Path] = ()) -> dict[str, Definition]:
    """Every definition that can be computed, by id: those delivered with the program, those of the folders."""
    return {name: d for name, d in read_catalogue(folders).items() if isinstance(d, Definition)}


def read_catalogue(folders: Sequence[Path] = ()) -> dict[str, Definition | Description]:
    """Every definition by id, also those that are only described; no two have one title or one short label."""
    return own_labels(parsed(definition_texts(folders)))


def parsed(written: dict[str, str]) -> dict[str, Definition | Description]:
    """The definitions of these texts, by id."""
    return {name: definition_file.parse(name, text) for name, text in written.items()}


def own_labels(known: dict[str, Definition | Description]) -> dict[str, Definition | Description]:
    """The same definitions; raises ImpasseError if two have one title or one short label."""
    for problem in shared_labels(known, shipped_ids()):
        raise problem
    return known


def shipped_ids() -> set[str]:
    """The ids of the definitions delivered with the program."""
    return {path.stem for folder in definition_folders() for path in folder.glob("*.toml")}


def definition_texts(folders: Sequence[Path] = ()) -> dict[str, str]:
    """The text of every definition file by id, which is the file's name without its ending."""
    found: dict[str, str] = {}
    for folder in (*definition_folders(), *folders):
        if not folder.is_dir():
            raise ImpasseError(
                "No such folder.", where=f"{folder}", expected="a folder of definitions", do="Correct it."
            )
        for name, text in read_texts(folder, "*.toml").items():
            if name in found:
                raise ImpasseError(
                    f"Two definitions have the id '{name}'.",
                    where=f"{folder}",
                    do="Rename your file; ids are for ever.",
                )
            found[name] = text
    return dict(sorted(found.items()))


def definition_ids(folder: Path) -> set[str]:
    """The ids of the definitions of one folder."""
    return set(read_texts(folder, "*.toml"))


def notes_on_names(folders: Sequence[Path], study_path: Path | None = None) -> list[str]:
    """A note on each file that states settings by former names: the study file, and definitions of the folders."""
    written = [pair for folder in folders for pair in read_texts(folder, "*.toml").items()]
    notes = [definition_file.note_on_names(name, text) for name, text in written]
    if study_path:
        from impasse.schemas import study

        notes.insert(0, study.note_on_names(study_path.name, read_text(study_path)))
    return [note for note in notes if note]


def definition_folders() -> list[Path]:
    """The folders of the definitions delivered with the program, one for each disorder; each has its cases in it."""
    return sorted(path for path in shipped("definitions").iterdir() if path.is_dir())


def read_layout_of(chosen: Study, base: Path) -> tuple[Mapping | OmopLists, str]:
    """What the study's source is read by, and its text: a shipped layout or the user's own TOML.

    An OMOP CDM is read by the concept lists, and has no text.
    """
    from impasse.schemas import concepts, mapping_file
    from impasse.schemas.overrules import overruled

    if chosen.source.kind == "omop":
        return concepts.parse(read_texts(shipped("codelists"), "omop_*.csv")), ""
    layout = chosen.source.layout
    is_own = layout.endswith(".toml")
    text = read_text(base / layout) if is_own else read_layout(layout, f"study {chosen.name}, source.layout")
    return overruled(mapping_file.parse(Path(layout).with_suffix(".toml").name, text), chosen), text


def layout_names() -> list[str]:
    """The layouts delivered with the program."""
    return sorted(path.stem for path in shipped("mappings").glob("*.toml"))


def read_layout(name: str, where: str = "") -> str:
    """The text of a layout delivered with the program, comments and all."""
    known = layout_names()
    if name not in known:
        guess = nearest(name, known)
        raise ImpasseError(
            f"Unknown layout '{name}'.",
            where=where,
            expected=f"{', '.join(known)}" + (", or the path of a .toml file" if where else ""),
            do=f"Did you mean '{guess}'?" if guess else "Use one of these.",
        )
    return read_text(shipped(f"mappings/{name}.toml"))
