"""What became of resistant episodes, and what had not been tried in them."""

from __future__ import annotations

from tests.reference.basics import Known, Row, is_member


def impasse(known: Known) -> Row:
    """The one row of an episode that some definition calls resistant."""
    untried, unobserved = untried_options(known)
    return {
        "episode_id": known.episode["episode_id"],
        "afterwards": afterwards(known.episode),
        "untried": " ".join(untried),
        "unobserved": " ".join(unobserved),
    }


def afterwards(episode: Row) -> str:
    """How the episode went on."""
    if episode["end_reason"] in ("remission", "death"):
        return {"remission": "remitted", "death": "died"}[episode["end_reason"]]
    return "continued" if episode["is_censored"] else "ended"


def untried_options(known: Known) -> tuple[list[str], list[str]]:
    """The disorder's options of which nothing was given until the episode's end, by whether it would be seen."""
    given = [row for row in known.person["treatments"] if row["date"] <= known.episode["end_date"]]
    untried: list[str] = []
    unobserved: list[str] = []
    for option in known.codes.options:
        is_asked = option.disorder == known.episode["disorder"] and option.tier in ("first_line", "later_line")
        if is_asked and not any(is_member(row, (option.group,)) is not False for row in given):
            (unobserved if known.is_blind((option.group,)) else untried).append(option.option)
    return untried, unobserved
