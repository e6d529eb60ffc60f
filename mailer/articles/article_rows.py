"""Articles as rows of the database and as JSON, and back."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from mailer.articles.article import Article, Flag, Kind, Picture
from mailer.storage import schema

_STRUCTURED = frozenset(
    {"kind", "authors", "regions", "tags", "parts", "quotes", "picture", "credits", "flags"}
)
_NOT_KEPT = frozenset({"joins"})
_PLAIN = tuple(name for name in schema.articles.c.keys() if name not in _STRUCTURED)  # noqa: SIM118
_INSTANTS = ("published_at", "first_seen_at", "embargo_until", "expires_at")


def values_of(article: Article) -> dict[str, Any]:
    """Return an article as a row of ``articles``."""
    return {name: getattr(article, name) for name in _PLAIN} | _structured(article)


def _structured(article: Article) -> dict[str, Any]:
    return {
        "kind": article.kind.value,
        "authors": list(article.authors),
        "regions": list(article.regions),
        "tags": list(article.tags),
        "parts": list(article.parts),
        "quotes": list(article.quotes),
        "picture": asdict(article.picture) if article.picture else None,
        "credits": [asdict(picture) for picture in article.credits],
        "flags": [asdict(flag) for flag in article.flags],
    }


def article_of_row(row: Row[Any]) -> Article:
    """Return the article of a row."""
    return article_of_values(dict(row._mapping))  # noqa: SLF001 - the documented way to a row's names


def json_of(article: Article) -> dict[str, Any]:
    """Return an article as plain JSON, whole."""
    names = [field.name for field in fields(article) if field.name not in _NOT_KEPT]
    found = {name: getattr(article, name) for name in names}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in (found | _structured(article)).items()
    }


def article_of_json(data: dict[str, Any]) -> Article:
    """Return the article that ``json_of`` wrote."""
    read = dict(data)
    for name in _INSTANTS:
        read[name] = datetime.fromisoformat(read[name]) if read[name] else None
    read["deadline"] = date.fromisoformat(read["deadline"]) if read["deadline"] else None
    return article_of_values(read)


def article_of_values(data: dict[str, Any]) -> Article:
    """Return the article of a row's values by name."""
    plain = {name: value for name, value in data.items() if name not in _STRUCTURED}
    return Article(
        **plain,
        kind=Kind(data["kind"]),
        authors=tuple(data["authors"]),
        regions=tuple(data["regions"]),
        tags=tuple(data["tags"]),
        parts=tuple(data["parts"]),
        quotes=tuple(data["quotes"]),
        picture=Picture(**data["picture"]) if data["picture"] else None,
        credits=tuple(Picture(**picture) for picture in data["credits"]),
        flags=tuple(Flag(**flag) for flag in data["flags"]),
    )
