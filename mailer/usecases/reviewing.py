"""The review of what was read: which pieces are unsure, and what an editor says about each.

``Review`` reads the files, does as was ruled before, and hands out one unsure piece after
another; each answer is on the disk before the next piece comes. Taking the files in is another
step, which follows the answers. What is asked is a matter of ``confidence`` alone, so that a second
review asks only what is new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.articles.article import Article, Document
from mailer.articles.confidence import UNSURE, confidence, doubt_of
from mailer.articles.files import read_document
from mailer.articles.ingesting import expand
from mailer.articles.review_file import add_ruling, read_rulings
from mailer.articles.rulings import Act, Ruling, apply, first_words, paragraphs_of
from mailer.errors import Fault, InvalidInput, MailerError, StorageFailed
from mailer.usecases.editing import Progress


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A piece to look at, ``place`` from 1 of ``count`` in its file, after ``previous``."""

    article: Article
    place: int
    count: int
    previous: Article | None

    @property
    def paragraphs(self) -> list[str]:
        """The plain text of its blocks."""
        return paragraphs_of(self.article)

    def to_data(self) -> dict[str, Any]:
        """Return plain data: how sure, why not, how it begins and ends, what was joined."""
        article, paragraphs = self.article, self.paragraphs
        return {
            "file": article.origin,
            "place": self.place,
            "of": self.count,
            "title": article.title,
            "authors": article.authors,
            "kind": article.kind,
            "words": article.word_count,
            "confidence": confidence(article.flags),
            "doubts": [
                {"code": flag.code, "note": flag.note, "takes": doubt_of(flag.code)}
                for flag in article.flags
            ],
            "begins": first_words(article.body_text),
            "ends": " ".join(article.body_text.split()[-8:]),
            "joined": article.joins,
            "quotes": article.quotes,
            "previous": self.previous.title if self.previous else None,
            "paragraphs": [first_words(text) for text in paragraphs],
        }


class Review:
    """One sitting; a file that cannot be read is left to the taking in, which reports it."""

    def __init__(self, app: App, paths: Sequence[Path], progress: Progress | None = None) -> None:
        self._path = app.review_path
        self._rulings = read_rulings(self._path)
        self._later: set[tuple[str, str]] = set()
        self._documents: list[Document] = []
        found = expand(paths)
        policy = app.ingest_policy()
        for done, path in enumerate(found, 1):
            try:
                self._documents.append(read_document(path, desk=policy))
            except StorageFailed:
                raise
            except MailerError:
                # Taking the files in says what is wrong with it, once.
                continue
            finally:
                if progress:
                    progress(done, len(found))

    def unsure(self) -> list[Doubtful]:
        """Return every piece that is still to be looked at, in the order of the files."""
        found = []
        for document in self._documents:
            ruled = apply(document, self._rulings)
            articles = ruled.document.articles
            for place, article in enumerate(articles):
                is_open = article.id not in ruled.settled and article.body_text
                is_later = (article.origin, first_words(article.body_text)) in self._later
                if is_open and not is_later and confidence(article.flags) < UNSURE:
                    before = articles[place - 1] if place else None
                    found.append(Doubtful(article, place + 1, len(articles), before))
        return found

    def answer(self, piece: Doubtful, do: Act, *, title: str = "", at: int = 0) -> None:
        """Keep an answer.

        Args:
            piece: of ``unsure``.
            do: what to do with it.
            title: the new title, of a split the second half's.
            at: the paragraph, from 1, with which the second half begins.
        Raises:
            InvalidInput: the answer does not fit the piece; nothing was kept.
        """
        begins_at = ""
        if do is Act.JOIN and piece.previous is None:
            raise InvalidInput(Fault("nothing stands before it", remedy="choose another answer"))
        if do is Act.RETITLE and not title.strip():
            raise InvalidInput(Fault("a title has words", remedy="type one"))
        if do is Act.SPLIT:
            if not 2 <= at <= len(piece.paragraphs):
                raise InvalidInput(
                    Fault(
                        f"there is no paragraph {at} to split at",
                        remedy=f"choose one from 2 to {len(piece.paragraphs)}",
                    )
                )
            begins_at = first_words(piece.paragraphs[at - 1])
        ruling = Ruling(
            piece.article.origin,
            first_words(piece.article.body_text),
            do,
            " ".join(title.split()),
            begins_at,
        )
        add_ruling(self._path, ruling)
        self._rulings.append(ruling)

    def later(self, piece: Doubtful) -> None:
        """Leave a piece for another sitting."""
        self._later.add((piece.article.origin, first_words(piece.article.body_text)))
