"""A definition that is listed and cited, and cannot be computed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from impasse.schemas.definition import Disorder
from impasse.schemas.source import Source, frozen


@frozen
class Description:
    """A definition that cannot be computed: it is listed and cited, with the reason, and judges nothing."""

    id: str
    title: str
    short: str = ""
    status: Literal["descriptive"]
    disorders: Annotated[tuple[Disorder, ...], Field(min_length=1)]
    source: Source
    not_computed: str
