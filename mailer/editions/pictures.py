"""Prepared pictures as values: what rendering needs to know of a file in the images folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailer.editions.finding import Finding


@dataclass(frozen=True, slots=True)
class PreparedImage:
    """A file in the images folder; served as ``{web_url}/images/{name}``."""

    name: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """One picture in both sizes."""

    lead: PreparedImage
    thumb: PreparedImage


@dataclass(frozen=True, slots=True)
class PreparedImages:
    """Pictures by their ``src``, and what was found wrong with the others."""

    pictures: Mapping[str, PreparedPicture]
    findings: tuple[Finding, ...] = ()
