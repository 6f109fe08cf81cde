"""Titles and short labels: what tells definitions apart on pages and in figures, so no two have the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from impasse.schemas.definition import Definition
from impasse.schemas.description import Description
from impasse.schemas.errors import ImpasseError

LONGEST_LABEL = 28
_NAMES = {"title": "title", "short": "short label"}


def shared_labels(known: Mapping[str, Definition | Description], shipped: Collection[str]) -> list[ImpasseError]:
    """A message for each definition whose title or short label another one has; the one to change is not shipped.

    Capitals and blanks do not tell two labels apart. A short label that is missing is nobody's.
    """
    in_order = sorted(known, key=lambda name: (name not in shipped, name))
    problems = []
    for setting in _NAMES:
        owners: dict[str, str] = {}
        for name in in_order:
            label = getattr(known[name], setting)
            owner = owners.setdefault(_as_seen(label), name)
            if owner != name and label.strip():
                problems.append(_shared(setting, label, owner, name))
    return problems


def require_label(d: Definition | Description) -> None:
    """Raise ImpasseError for a short label that is missing or too long for figures."""
    problem = "is missing" if not d.short.strip() else f"has {len(d.short)} characters"
    if not d.short.strip() or len(d.short) > LONGEST_LABEL:
        raise ImpasseError(
            f"The short label of '{d.id}' {problem}.",
            where=f"definition file {d.id}.toml, setting short",
            expected=f"at most {LONGEST_LABEL} characters that no other definition has, for figures",
            do='Write it below the title, such as short = "Fabbri 2021: 2 switches".',
        )


def _as_seen(label: str) -> str:
    return " ".join(label.split()).casefold()


def _shared(setting: str, label: str, owner: str, name: str) -> ImpasseError:
    return ImpasseError(
        f"Two definitions have the {_NAMES[setting]} '{label}'.",
        where=[f"definition file {owner}.toml, setting {setting}", f"definition file {name}.toml, setting {setting}"],
        expected=f"a {_NAMES[setting]} that no other definition has; capitals and blanks make no difference",
        do=f"Change that of {name}.toml.",
    )
