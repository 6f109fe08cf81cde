"""What a study's files say: the study, its layout, the code lists and the definitions it compares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from impasse.flows.files import inputs
from impasse.schemas.codelists import CodeLists
from impasse.schemas.concepts import OmopLists
from impasse.schemas.definition import Definition
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import DefinitionSection, EngineSection, OutputSection, Study
from impasse.schemas.supply_rules import require_amounts


@dataclass(frozen=True)
class Loaded:
    """What a study's files say.

    `texts` are the chosen definitions as written, by id, `layout_text` is the layout, and `own_lists` are the user's
    own files of code lists, by the names that a run keeps them under.
    """

    study: Study
    layout: Mapping | OmopLists
    codes: CodeLists
    definitions: tuple[Definition, ...]
    texts: dict[str, str]
    layout_text: str
    own_lists: dict[str, str]


@lru_cache(maxsize=1)
def load(study_path: Path) -> Loaded:
    """The study, its layout, the code lists and the chosen definitions."""
    study = inputs.read_study(study_path)
    folders = [study_path.parent / folder for folder in study.definitions.folders]
    codes = inputs.read_codelists(folders)
    layout, layout_text = inputs.read_layout_of(study, study_path.parent)
    require_amounts(study.supply, layout, "study file, supply.rules")
    written = inputs.definition_texts(folders)
    known = inputs.own_labels(inputs.parsed(written))
    chosen = choose(known, study.definitions, study.episodes.disorders)
    for folder in folders:
        _require_used(folder, chosen)
    for definition in chosen:
        codes.check_definition(definition, written[definition.id])
        _require_kinds(definition, study.supply.kinds)
    texts = {d.id: written[d.id] for d in chosen}
    return Loaded(study, layout, codes, chosen, texts, layout_text, inputs.own_list_texts(folders))


def notes_on_former_names(study_path: Path, study: Study) -> list[str]:
    """A note on each file of the user's that states settings by former names."""
    return inputs.notes_on_names([study_path.parent / folder for folder in study.definitions.folders], study_path)


def choose(
    known: dict[str, Definition | Description], wanted: DefinitionSection, disorders: tuple[str, ...]
) -> tuple[Definition, ...]:
    """The definitions a study compares: those it names, or all that are active and speak about its disorders."""
    statuses = {"active", "unverified"} if wanted.include_unverified else {"active"}
    if "all" in wanted.use:
        chosen = [d for d in known.values() if d.status in statuses and set(d.eligible.disorders) & set(disorders)]
    else:
        chosen = [_named(name, known, statuses, disorders) for name in dict.fromkeys(wanted.use)]
    if not chosen:
        raise ImpasseError(
            "No definition speaks about the study's disorders.",
            where="study file, definitions.use",
            expected="at least one active definition of " + ", ".join(disorders),
            do="Name others, or add disorders under [episodes].",
        )
    return tuple(sorted(chosen, key=lambda d: d.id))


def _require_used(folder: Path, chosen: tuple[Definition, ...]) -> None:
    """Raise ImpasseError for a folder of which no definition is compared, as where all are drafts."""
    if not inputs.definition_ids(folder) & {d.id for d in chosen}:
        raise ImpasseError(
            "No definition of this folder is compared.",
            where=f"study file, definitions.folders, {folder}",
            expected='at least one active definition of the study\'s disorders, named in definitions.use or by "all"',
            do='Set its status to "active" when its cases pass, name it, or leave the folder out.',
        )


def _require_kinds(definition: Definition, kinds: tuple[str, ...]) -> None:
    """Raise ImpasseError where the study looks at no kind of supply that makes trials of the definition."""
    if set(kinds).isdisjoint(definition.trial.supply_kinds):
        raise ImpasseError(
            f"No kind of supply that definition '{definition.id}' counts is looked at.",
            where="study file, supply.kinds",
            expected="one of " + ", ".join(definition.trial.supply_kinds),
            do="Add it, or name the definitions to compare in definitions.use.",
        )


_REMEDIES = {
    "unverified": "Set definitions.include_unverified = true to compare unverified ones.",
    "descriptive": "It cannot be computed; `impasse definitions show` says why.",
    "draft": 'Set its status to "active" when its cases pass.',
}


def _named(
    name: str, known: dict[str, Definition | Description], statuses: set[str], disorders: tuple[str, ...]
) -> Definition:
    if name not in known:
        guess = nearest(name, sorted(known))
        raise ImpasseError(
            f"Unknown definition '{name}'.",
            where="study file, definitions.use",
            expected="an id that `impasse definitions list` shows",
            do=f"Did you mean '{guess}'?" if guess else "Correct it.",
        )
    if known[name].status not in statuses:
        raise ImpasseError(
            f"Definition '{name}' is {known[name].status}.",
            where="study file, definitions.use",
            expected="an active definition",
            do=_REMEDIES.get(known[name].status, "It cannot be used."),
        )
    if not set(known[name].eligible.disorders) & set(disorders):
        raise ImpasseError(
            f"Definition '{name}' speaks about none of the study's disorders.",
            where="study file, definitions.use",
            expected=f"a definition of {' or '.join(disorders)}",
            do=f"Leave it out, or add {' or '.join(known[name].eligible.disorders)} to episodes.disorders.",
        )
    return known[name]


def stated(study: Study, requested: dict[str, str | int | None]) -> tuple[OutputSection, EngineSection]:
    """The study's output and engine with what is requested instead."""
    return _instead(study.output, requested), _instead(study.engine, requested)


_OF_ONE_KEY = "memory such as 4GB or 1.5GB, at most 4096 buckets, one of threads, processes and dask"


def _of_two_keys(problem: ErrorDetails) -> str:
    """What is expected of settings that do not go together, one of which may be the study's."""
    return "" if problem["loc"] else problem["msg"].removeprefix("Value error, ")


def _instead(
    own: OutputSection | EngineSection, requested: dict[str, str | int | None]
) -> OutputSection | EngineSection:
    """The study's own section with what is requested instead."""
    stated = {key: value for key, value in requested.items() if value is not None and key in type(own).model_fields}
    try:
        return type(own)(**{**own.model_dump(), **stated})
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]) if problem["loc"] else "address"
        raise ImpasseError(
            f"--{'engine' if name == 'kind' else name} has a value that is not allowed.",
            where="command line",
            expected=_of_two_keys(problem) or _OF_ONE_KEY,
            do="Correct it.",
        ) from None
