"""Where a finding can be mended: the file and line that hold what a check objects to.

A check works on the finished mail and knows an article, a setting, or a few words of what it saw.
``Places`` looks those up in the texts the mail was made of: the issue's file, the articles' files,
the templates, ``publication.toml``. Pure: the texts are handed in.

Known limit: words are looked for as they stand; what a template computes has no line, and the
template's main file is named instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.articles.article import Article
from mailer.editions.checks.rulebook import Hit
from mailer.editions.templates import BODY, Source
from mailer.tomlfile import find_line


@dataclass(frozen=True, slots=True)
class Places:
    """The texts a mail was made of; paths are as the user knows them.

    ``files`` are articles' texts by ``Article.origin``; one that is not there has no lines.
    """

    issue_file: str = ""
    issue_text: str = ""
    publication_file: str = "publication.toml"
    publication_text: str = ""
    templates: Mapping[str, Source] = field(default_factory=dict)
    articles: Mapping[str, Article] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def of(self, hit: Hit) -> tuple[str, int | None]:
        """Return the file and line of what a check found."""
        if hit.where:
            return hit.where, hit.line
        if hit.setting:
            line = find_line(self.publication_text, hit.setting.split("."))
            return self.publication_file, line
        if hit.article:
            return self._article(hit)
        return self._in_templates(hit.clue) if hit.is_template else self._clue(hit.clue)

    def _article(self, hit: Hit) -> tuple[str, int | None]:
        article = self.articles.get(hit.article)
        origin = article.origin if article is not None else ""
        text = self.files.get(origin)
        if text is not None:
            return origin, _key_line(text, hit.clue) or 1
        # Without a file of its own, the pick is where an editor can do something.
        return self.issue_file, _line(self.issue_text, hit.article, is_word=True)

    def _clue(self, clue: str) -> tuple[str, int | None]:
        if clue:
            line = _line(self.issue_text, clue)
            if line is not None:
                return self.issue_file, line
            for origin, text in self.files.items():
                if (line := _line(text, clue)) is not None:
                    return origin, line
        if (found := self._template(clue)) is not None:
            return found
        if clue.rstrip(":").isidentifier():
            return self.issue_file, None
        return self._in_templates("")

    def _in_templates(self, clue: str) -> tuple[str, int | None]:
        body = self.templates.get(BODY)
        otherwise = (body.path, None) if body else (self.issue_file, None)
        return self._template(clue) or otherwise

    def _template(self, clue: str) -> tuple[str, int | None] | None:
        for name, source in self.templates.items() if clue else ():
            if name.startswith(clue):
                return source.path, 1
            if (line := _line(source.text, clue)) is not None:
                return source.path, line
        return None


def _line(text: str, clue: str, *, is_word: bool = False) -> int | None:
    """Return the line of the first place where the words stand."""
    pattern = re.escape(clue)
    found = re.search(rf"(?<![\w-]){pattern}(?![\w-])" if is_word else pattern, text)
    return text.count("\n", 0, found.start()) + 1 if found else None


def _key_line(text: str, key: str) -> int | None:
    """Return the line of the first key of the front matter that begins so."""
    if not key:
        return None
    found = re.search(rf"^{re.escape(key)}\w*:", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None
