"""A layout and a study in, the layout as the study has it out: the study has the last word."""

from __future__ import annotations

from typing import Any

from impasse.schemas.errors import ImpasseError
from impasse.schemas.mapping import Mapping, with_columns
from impasse.schemas.mapping_file import unknown_word
from impasse.schemas.study import Study


def overruled(mapping: Mapping, study: Study) -> Mapping:
    """The mapping with the study's own word on files, on how they are written and on what the delivery shows.

    A file that the study names must be there, and has no other name; one without a name is not delivered.
    """
    source = study.source
    for key in source.files:
        if key not in mapping.files:
            raise unknown_word(key, "file", list(mapping.files), f"study {study.name}, source.files")
    stated = {key: _stated(key, study) for key in mapping.files}
    _refuse_no_persons(mapping, stated, f"study {study.name}, source.files")
    files = {key: file.model_copy(update=stated[key]) for key, file in mapping.files.items()}
    observes = mapping.observes if source.observes is None else source.observes
    changed = mapping.model_copy(update={"files": files, "observes": observes})
    return with_columns(changed, lambda part, column: {"decimal": stated[part.file].get("decimal", column.decimal)})


def _stated(key: str, study: Study) -> dict[str, Any]:
    """What the study says of a file, as a change to the mapping's."""
    own = study.source.files.get(key)
    form = study.source.stated() | (own.stated() if own else {})
    if own is None or own.name is None:
        return form
    return form | {"name": own.name, "other_names": (), "optional": not own.name}


def _refuse_no_persons(mapping: Mapping, stated: dict[str, dict[str, Any]], where: str) -> None:
    for part in mapping.persons:
        if stated[part.file].get("name") == ():
            raise ImpasseError(
                f"The file '{part.file}' is said not to be delivered.",
                where=where,
                expected="the name of a file; without persons nothing can be judged",
                do="Name the file.",
            )
