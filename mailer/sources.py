"""A source: where articles come from by themselves, one ``[[sources]]`` table each.

A source is a feed at a web address or in a file of the publication's folder. What a feed does not
say of its items (section, regions, language) is the source's default; what it says stands. Pure:
nothing is read or fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from mailer.checked import Line, Slug, WebAddress

SourceKind = Literal["", "news", "report", "analysis", "editorial", "feature", "call", "review"]


def _feed_address(value: str) -> str:
    if re.match(r"https?://[^/?#]*@", value):
        raise ValueError("carries a name or password; a feed is asked without one")
    return value


def _inner_path(value: str) -> str:
    if value and (value.startswith(("/", "~")) or "\\" in value or ".." in value.split("/")):
        raise ValueError(
            'leads out of the publication\'s folder; write a path in it such as "feeds/town.xml"'
        )
    return value


class Source(BaseModel):
    """A feed, how often it is asked and what its articles are by default.

    ``name`` is what readers and editors see, and what an article's ``source`` says. Exactly one of
    ``url`` and ``file`` is given. ``weight`` counts in the score: 1 is usual, 0 is no support at
    all. ``every_minutes`` is the shortest time between two visits; a feed that asks for more (by
    Cache-Control, or Retry-After) gets it. ``takes_pages``: where the feed has only the beginning
    of an article, its page is asked for the rest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Annotated[Line, Field(min_length=1, max_length=80)]
    url: Annotated[WebAddress, AfterValidator(_feed_address)] = ""
    file: Annotated[str, AfterValidator(_inner_path)] = ""
    every_minutes: int = Field(default=60, ge=5, le=44_640)
    weight: float = Field(default=1.0, ge=0, le=10)
    section: Slug | Literal[""] = ""
    regions: tuple[Slug, ...] = ()
    kind: SourceKind = ""
    tags: tuple[Line, ...] = ()
    takes_pages: bool = False
    is_enabled: bool = True

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.url) == bool(self.file):
            raise ValueError("needs a url or a file, and not both; keep one")
        return self

    @property
    def place(self) -> str:
        """Where it is: the address, or the path in the publication's folder."""
        return self.url or self.file


def source_key(name: str) -> str:
    """Return what two spellings of a source's name have in common."""
    return " ".join(name.casefold().split())


def sources_twice(sources: Sequence[Source]) -> str:
    """Say which name or place stands twice, and "" when none does."""
    for what, keys in (
        ("the name", [source_key(source.name) for source in sources]),
        ("the place", [source.place for source in sources]),
    ):
        for key in keys:
            if keys.count(key) > 1:
                return f"sources has {what} {key!r} twice; keep one"
    return ""


def unknown_names(
    sources: Sequence[Source], *, sections: Sequence[str], regions: Sequence[str]
) -> str:
    """Say which source names a section or region that there is not, and "" when none does."""
    for source in sources:
        if source.section and source.section not in sections:
            return (
                f"source {source.name!r} has the section {source.section!r}, which there is not; "
                f"use one of {', '.join(sections)}"
            )
        for region in source.regions:
            if region not in regions:
                return (
                    f"source {source.name!r} has the region {region!r}, which there is not; "
                    f"use one of {', '.join(regions)}"
                )
    return ""
