"""What editions are made of, as one value: to render from, to keep, and to render from again.

``pack`` writes every ingredient as a named text (see ``issues/lock``), ``unpack`` reads them back
to the same value, so that an approved issue can be rendered years later as it was. Pure: of a
picture it is what rendering knows (its file's name, which is its content's hash, and its size),
not the bytes.

Failures: ``InvalidInput`` names what cannot be read, as after a change of the program.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mailer import __version__
from mailer.articles.article import Article, DiaryEntry
from mailer.editions.edition import Edition
from mailer.editions.pictures import PreparedPicture
from mailer.editions.rendering import render_edition
from mailer.editions.templates import Source, TemplateSet
from mailer.errors import Fault, InvalidInput
from mailer.issues.column import with_column
from mailer.issues.issue import Issue
from mailer.issues.lock import WEB_ADDRESS, Input, Tools
from mailer.issues.manifest import read_issue
from mailer.languages import read_written
from mailer.publication import Publication, Region

LIBRARIES = (
    "babel", "jinja2", "markdown-it-py", "markupsafe", "mjml-python", "nh3", "pillow", "pyyaml",
)  # fmt: skip
"""Whose versions can change an edition's bytes."""

_ARTICLE = TypeAdapter(Article)
_ENTRY = TypeAdapter(DiaryEntry)
_PICTURE = TypeAdapter(PreparedPicture)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that rendering an issue asks for; ``issue_text`` is its file."""

    issue_id: str
    issue_text: str
    publication: Publication
    articles: Mapping[str, Article]
    diary: Sequence[DiaryEntry]
    images: Mapping[str, PreparedPicture]
    templates: TemplateSet
    web_url: str

    def issue(self) -> Issue:
        """Return the issue as its file says it."""
        where = f"issues/{self.issue_id}.md"
        issue = read_issue(self.issue_text, where=where, publication=self.publication)
        return with_column(issue, self.publication)

    def render(self, issue: Issue, region: Region) -> Edition:
        """Render one region's edition."""
        return render_edition(
            issue,
            region=region,
            publication=self.publication,
            articles=self.articles,
            diary=self.diary,
            images=self.images,
            web_url=self.web_url,
            templates=self.templates,
        )

    def _spoken(self) -> set[str]:
        """Return the languages its editions are in."""
        regions = self.publication.region_map.values()
        return {region.language or self.publication.language for region in regions}

    def pack(self) -> list[Input]:
        """Return every ingredient as a named text."""
        issue = self.issue()
        listed = set(issue.diary)
        publication = self.publication.model_dump_json(exclude={"root"})
        return [
            Input("issue", "", self.issue_text),
            Input("publication", "", publication),
            Input(WEB_ADDRESS, "", self.web_url),
            Input("template set", "", self.templates.name),
            *(
                Input("template", name, source.text)
                for name, source in sorted(self.templates.sources.items())
            ),
            *(
                Input("catalogue", tag, text)
                for tag, text in self.templates.languages.written(self._spoken()).items()
            ),
            *(
                Input("article", name, _ARTICLE.dump_json(self.articles[name]).decode())
                for name in sorted(self.articles)
            ),
            *(
                Input("diary entry", entry.id, _ENTRY.dump_json(entry).decode())
                for entry in self.diary
                if entry.id in listed
            ),
            *(
                Input("picture", src, json.dumps(asdict(picture), sort_keys=True))
                for src, picture in sorted(self.images.items())
            ),
        ]


def unpack(issue_id: str, inputs: Iterable[Input], *, root: Path) -> Recipe:
    """Read ingredients back.

    Args:
        issue_id: whose.
        inputs: as ``pack`` wrote them.
        root: the publication's folder, which is not part of what is kept.
    Raises:
        InvalidInput: one is missing or cannot be read; one fault each.
    """
    by_kind: dict[str, dict[str, str]] = {}
    for each in inputs:
        by_kind.setdefault(each.kind, {})[each.name] = each.content
    faults: list[Fault] = []

    def read(kind: str, name: str, how: Callable[[str], Any]) -> Any:
        content = by_kind.get(kind, {}).get(name)
        if content is None:
            faults.append(Fault(f"the {kind} was not kept", remedy="it cannot be made again"))
            return None
        try:
            return how(content)
        except (ValidationError, ValueError, TypeError, KeyError) as error:
            problem = str(error).splitlines()[0]
            faults.append(
                Fault(
                    f"the {kind} {name}".rstrip() + f" cannot be read any more: {problem}",
                    remedy="use the version of the program that approved the issue",
                )
            )
            return None

    def read_all(kind: str, how: Callable[[str], Any]) -> dict[str, Any]:
        return {name: read(kind, name, how) for name in by_kind.get(kind, {})}

    publication = read(
        "publication",
        "",
        lambda text: Publication.model_validate({**json.loads(text), "root": root}),
    )
    articles = read_all("article", _ARTICLE.validate_json)
    diary = read_all("diary entry", _ENTRY.validate_json)
    images = read_all("picture", _PICTURE.validate_json)
    set_name = read("template set", "", str)
    web_url = read(WEB_ADDRESS, "", str)
    issue_text = read("issue", "", str)
    languages = read_all("catalogue", str)
    if faults:
        raise InvalidInput(faults)
    sources = {
        name: Source(f"templates/{set_name}/{name}", text)
        for name, text in by_kind.get("template", {}).items()
    }
    return Recipe(
        issue_id=issue_id,
        issue_text=issue_text,
        publication=publication,
        articles=articles,
        diary=list(diary.values()),
        images=images,
        templates=TemplateSet(set_name, sources, read_written(languages)),
        web_url=web_url,
    )


def kept_entries(inputs: Iterable[Input]) -> list[DiaryEntry]:
    """Return the diary entries among the ingredients that an approval kept, by name."""
    return [_ENTRY.validate_json(each.content) for each in inputs if each.kind == "diary entry"]


def present_tools() -> Tools:
    """Return the versions of the program and of the libraries that matter, as they are now."""
    return Tools(__version__, {name: _version(name) for name in LIBRARIES})


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
