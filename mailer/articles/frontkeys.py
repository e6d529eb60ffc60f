"""The keys of front matter that are read, in the order in which they are asked for.

``docs/articles.md`` tells them to authors; a test holds the two together. Keys are compared without
case, hyphens and underscores (``publishDate`` is ``publish_date``); those under ``briefing:`` are
ours and compared as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, tuple[str, ...]] = {
    "title": ("briefing.title", "title"),
    "slug": ("slug", "id"),
    "authors": ("authors", "author", "byline"),
    "author_note": ("briefing.author_note", "author_note"),
    "published_at": ("date", "pubDate", "published", "publishDate", "dateCreated"),
    "changed_at": ("lastmod", "modified", "updated"),
    "embargo_until": ("briefing.embargo",),
    "embargo_ahead": ("publishDate",),
    "expires_at": ("briefing.expires", "expiryDate", "expires", "unpublishDate"),
    "deadline": ("briefing.deadline", "deadline"),
    "draft": ("draft",),
    "is_published": ("published",),
    "status": ("status",),
    "kind": ("briefing.kind", "kind"),
    "section": ("briefing.section",),
    "regions": ("briefing.regions", "briefing.region"),
    "tags": ("tags", "categories", "category", "keywords"),
    "priority": ("briefing.priority",),
    "weight": ("weight",),
    "standfirst": (
        "briefing.standfirst",
        *("standfirst", "description", "summary", "excerpt", "subtitle"),
    ),
    "url": ("briefing.url", "canonicalUrl", "externalUrl", "link"),
    "own_address": ("url", "permalink"),
    "source": ("briefing.source", "source"),
    "picture": ("image", "cover", "featured_image", "thumbnail", "images"),
    "resources": ("resources",),
    "events": ("briefing.events",),
}
"""What is read into a field, first wins."""

BRIEFING_KEYS = tuple(
    name.removeprefix("briefing.")
    for names in KEYS.values()
    for name in names
    if name.startswith("briefing.")
)
EVENT_KEYS = ("title", "date", "time", "place", "url", "regions", "region")

MISPLACED: Mapping[str, str] = {
    **{key: key for key in ("section", "regions", "region", "priority", "embargo", "events")},
    "embargo_until": "embargo",
}
"""Words of ours that mean nothing outside ``briefing:``, and what they are there."""
OF_AN_ISSUE = ("pin", "pinned", "pins")
"""Words that authors write here for what an editor writes into an issue's file."""
