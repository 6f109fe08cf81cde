"""The one kind of error a user meets: what was found, where, what was expected, what to do.

Texts name files, columns, rules and counts. They never hold a value from a person's row, and no character that a
terminal would act on: names come from whoever made the delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from impasse.schemas.plain import plain

_BELOW = "\n            "


class ImpasseError(Exception):
    """Bad input, told once and clearly.

    `what` was found, `where` (file, table, column or line), what was `expected`,
    and what to `do` about it. Only `what` is required. Several texts stand on a line each.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str | Sequence[str] = "",
        expected: str | Sequence[str] = "",
        do: str | Sequence[str] = "",
    ) -> None:
        self.what, self.where, self.expected, self.do = map(_laid_out, (what, where, expected, do))
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.what]
        lines += [f"  where:    {self.where}"] if self.where else []
        lines += [f"  expected: {self.expected}"] if self.expected else []
        lines += [f"  do:       {self.do}"] if self.do else []
        return "\n".join(lines)


def lines_of(text: str) -> list[str]:
    """The texts that an error has laid out on a line each."""
    return text.split(_BELOW)


def _laid_out(text: str | Sequence[str]) -> str:
    return plain(text) if isinstance(text, str) else _BELOW.join(map(plain, text))


class PublicationStopped(ImpasseError):  # noqa: N818  (it is a decision, not a fault)
    """A critical check failed, so nothing was published."""


class MayPass(ImpasseError):  # noqa: N818  (as above)
    """What may go right another time: a worker was killed, or memory ran out."""


class RunInterrupted(ImpasseError):  # noqa: N818  (as above)
    """Some parts of a run could not be classified; what is done is kept, and the run can be resumed."""


class NotAsWritten(ImpasseError):  # noqa: N818  (as above)
    """Files that a run relies on are not as it wrote them; it cannot be gone on with."""


class NoAnswer(ImpasseError):  # noqa: N818  (as above)
    """A store somewhere else did not answer; trying again may help."""


def nearest(word: str, known: list[str]) -> str:
    """The known spelling closest to `word`, in its own capitals or in small letters, or an empty string."""
    close = get_close_matches(word, known, n=1, cutoff=0.6) or get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return next(iter(close), "")
