"""What several rules ask for alike, worked out when it is first asked for, and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any


class Once:
    """Answers by what was asked."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Any] = {}  # of every type: each question has another answer

    def __call__(self, question: Hashable, make: Callable[[], Any]) -> Any:
        """The answer to the question, which `make` gives."""
        if question not in self._answers:
            self._answers[question] = make()
        return self._answers[question]
