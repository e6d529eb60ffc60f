"""Files become documents: Markdown, HTML, plain text and PDF, with front matter or without.

With front matter a file is one article and the author's words stand; without it the text is read
for what it holds: a newspaper's pieces when it opens with a masthead, otherwise one web page.

Refused, each with one line that names the file: what is missing, empty, too large, not UTF-8 (or
UTF-16 with its mark), with NUL, with broken front matter or without any text, and a link that leads
nowhere or out of the publication's folder. Never refused: what can be flagged for an editor.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

from mailer.articles.article import Article, DiaryEntry, Document, Flag, Kind, Picture, Standing
from mailer.articles.blocks import parse_blocks
from mailer.articles.bylines import names_in_byline
from mailer.articles.cleaning import html_to_text, markdown_to_html, pictures_in, sanitise
from mailer.articles.conventions import read_fields
from mailer.articles.dating import find_deadline, sentences_of
from mailer.articles.diary import Happening, happenings_in_text
from mailer.articles.entries import diary_of, id_of
from mailer.articles.fields import Fields
from mailer.articles.frontmatter import FrontMatter, read_front_matter
from mailer.articles.intake import IngestPolicy, hash_of
from mailer.articles.lettering import slug_of
from mailer.articles.newspaper import find_masthead, split_newspaper
from mailer.articles.pages import html_blocks, read_page
from mailer.articles.piece import Piece
from mailer.articles.trimming import trim_blocks
from mailer.articles.webtext import read_web_text
from mailer.errors import Fault, InvalidInput, MailerError

__all__ = ["MAX_FILE_BYTES", "SUFFIXES", "IngestPolicy", "read_document"]

MAX_FILE_BYTES = 2_000_000
MARKDOWN = frozenset({".md", ".markdown", ".mdown"})
HTML = frozenset({".html", ".htm"})
TEXT = frozenset({".txt", ".text"})
PDF = frozenset({".pdf"})
SUFFIXES = MARKDOWN | HTML | TEXT | PDF


def read_document(path: Path, *, desk: IngestPolicy) -> Document:
    """Read one file.

    Raises:
        InvalidInput: with every fault of the file.
    """
    where = str(path)
    _check_link(path, desk.root)
    if path.suffix.lower() not in SUFFIXES:
        raise _fault(
            f"is a {path.suffix or 'nameless'} file", where, f"use {', '.join(sorted(SUFFIXES))}"
        )
    origin = _origin(path, desk.root)
    if path.suffix.lower() in PDF:
        return _pdf(path, origin, desk)
    text = _read(path)
    front = read_front_matter(text, where=where)
    try:
        if front.is_present:
            return _with_front_matter(front, path, origin, desk)
        if path.suffix.lower() in HTML:
            return _html_page(text, path, origin, desk)
        return _bare(text, path, origin, desk)
    except MailerError as error:
        raise _in_file(error, where) from None


def _bare(text: str, path: Path, origin: str, desk: IngestPolicy) -> Document:
    """Read a text without front matter: a paper's pieces, or one page."""
    blocks = parse_blocks(text)
    masthead = find_masthead(blocks)
    if masthead is not None:
        document = split_newspaper(text, masthead, origin=origin, desk=desk)
        if document.articles:
            return replace(document, standing=Standing.PAPER)
    is_markdown = path.suffix.lower() in MARKDOWN | PDF or any(block.level for block in blocks)
    piece = Piece("", is_markdown=is_markdown)
    found = read_web_text(text, origin=origin, desk=desk, piece=piece)
    return replace(found, standing=Standing.PAPER)


def _pdf(path: Path, origin: str, desk: IngestPolicy) -> Document:
    from mailer.articles.pagelayout import read_sheets
    from mailer.articles.pdfreading import read_pdf

    try:
        text = unicodedata.normalize("NFC", read_sheets(read_pdf(path)))
        return _bare(text, path, origin, desk)
    except MailerError as error:
        raise _in_file(error, str(path)) from None


def _in_file(error: MailerError, where: str) -> InvalidInput:
    return InvalidInput(
        fault if fault.where else replace(fault, where=where) for fault in error.faults
    )


def _fault(problem: str, where: str, remedy: str, line: int | None = None) -> InvalidInput:
    return InvalidInput(Fault(problem, where=where, line=line, remedy=remedy))


def _check_link(path: Path, root: Path) -> None:
    """Refuse a link in the publication's folder that leads out of it, to a folder, or nowhere."""
    if not path.is_symlink():
        return
    where = str(path)
    try:
        target = path.resolve()
        is_there = target.exists()
    except (OSError, RuntimeError):
        # Two links may name each other.
        is_there = False
    if not is_there:
        raise _fault("is a link to a file that is not there", where, "mend it or remove it")
    if target.is_dir():
        raise _fault("is a link to a folder", where, "name the folder itself to take it in")
    is_ours = path.parent.resolve().is_relative_to(root.resolve())
    if is_ours and not target.is_relative_to(root.resolve()):
        # Whoever can put a file there could have any file of this machine mailed to readers.
        problem = "is a link that leads out of the publication's folder"
        raise _fault(problem, where, "put a copy of the file there")


def _read(path: Path) -> str:
    where = str(path)
    try:
        if path.exists() and not path.is_file():
            raise _fault("is not a plain file", where, "name a file or a folder")
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _fault(
                f"is {size:,} bytes large", where, f"split it; {MAX_FILE_BYTES:,} is the most"
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _fault("is missing", where, "check the name") from None
    except OSError as error:
        raise _fault(f"cannot be read: {error.strerror}", where, "check the file") from None
    is_wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _fault(
            f"is not UTF-8 at byte {error.start}", where, "save it as UTF-8", line
        ) from None
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise _fault("has a NUL character", where, "save it as plain text", line)
    if not text.strip():
        raise _fault("is empty", where, "write something in it or remove it")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def _origin(path: Path, root: Path) -> str:
    full = path.resolve()
    try:
        return full.relative_to(root.resolve()).as_posix()
    except ValueError:
        return full.as_posix()


def _with_front_matter(front: FrontMatter, path: Path, origin: str, desk: IngestPolicy) -> Document:
    where = str(path)
    fields = read_fields(front, where=where, desk=desk)
    is_html = path.suffix.lower() in HTML
    body = front.body
    if not is_html:
        fields.title, body = _title_and_body(fields.title, body)
    try:
        body_html = sanitise(body) if is_html else markdown_to_html(body)
        pictures = pictures_in(body, is_markdown=not is_html)
    except InvalidInput as error:
        raise InvalidInput(
            replace(fault, where=where, line=front.body_line) for fault in error.faults
        ) from None
    faults = []
    if not fields.title:
        line = front.lines.get("title", 1)
        faults.append(Fault("is missing", where, line, "title", "add a title: line"))
    body_text = html_to_text(body_html)
    if not body_text:
        faults.append(
            Fault("there is no text below the front matter", where, front.body_line, "", "write it")
        )
    if faults:
        raise InvalidInput(faults)
    article = _article(fields, body_html, body_text, origin, desk)
    article = replace(article, picture=_picture(fields, pictures, path, desk))
    diary = _diary(fields, article, desk)
    return Document(origin, (article,), diary, warnings=tuple(fields.warnings))


def _title_and_body(title: str, body: str) -> tuple[str, str]:
    """Take a Markdown headline that opens the body: it is the title, or repeats it."""
    match = re.match(r"\s*#\s+(?P<title>[^\n]+?)\s*#*\s*(?:\n|$)", body)
    if match and (not title or match["title"].casefold() == title.casefold()):
        return title or match["title"], body[match.end() :]
    return title, body


def _article(
    fields: Fields, body_html: str, body_text: str, origin: str, desk: IngestPolicy
) -> Article:
    flags = list(fields.flags)
    if not fields.authors:
        flags.append(Flag("no-byline", "The front matter names no author."))
    if fields.published_at is None:
        flags.append(Flag("no-date", "The front matter has no date."))
    deadline = fields.deadline
    if deadline is None:
        reference = desk.local_date(fields.published_at) if fields.published_at else None
        found = find_deadline(sentences_of(body_text), reference=reference, today=desk.today)
        if found:
            deadline = found[0]
            note = f"The deadline {deadline.isoformat()} was found in the text; check it."
            flags.extend((Flag("deadline-from-text", note), *found[1]))
    return Article(
        id=slug_of(fields.slug or fields.title) or "article",
        title=fields.title,
        body_html=body_html,
        body_text=body_text,
        content_hash=hash_of(fields.title, body_text),
        first_seen_at=desk.now,
        kind=fields.kind or Kind.NEWS,
        standfirst=fields.standfirst,
        authors=fields.authors,
        author_note=fields.author_note,
        url=fields.url,
        section=fields.section,
        regions=fields.regions,
        tags=fields.tags,
        priority=fields.priority,
        source=fields.source,
        origin=origin,
        published_at=fields.published_at,
        embargo_until=fields.embargo_until,
        expires_at=fields.expires_at,
        deadline=deadline,
        is_draft=fields.is_draft,
        flags=tuple(flags),
    )


def _picture(
    fields: Fields, pictures: list[Picture], path: Path, desk: IngestPolicy
) -> Picture | None:
    """Return the article's picture: of the front matter, else the first one in the text."""
    picture = fields.picture
    if picture is None:
        picture = next((p for p in pictures if _is_usable(p.src)), None)
    if picture is None or not picture.src or picture.src.startswith("https://"):
        return picture
    root = desk.root.resolve()
    src = picture.src.lstrip("/")
    for candidate in (root / src, path.parent / src, root / "static" / src, root / "images" / src):
        try:
            full = candidate.resolve()
            is_ours = full.is_file() and full.is_relative_to(root)
        except (OSError, ValueError):
            # No file can have this name; what comes of it is said when pictures are prepared.
            continue
        if is_ours:
            return replace(picture, src=full.relative_to(root).as_posix())
    return replace(picture, src=src)


def _is_usable(src: str) -> bool:
    is_address = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", src)
    return src.startswith("https://") or not (is_address or ".." in src.split("/") or "\\" in src)


def _diary(fields: Fields, article: Article, desk: IngestPolicy) -> tuple[DiaryEntry, ...]:
    """Return the diary: what the author lists, and other dates found in the text, flagged."""
    listed = [
        DiaryEntry(
            id=id_of(event.on, event.title),
            title=event.title,
            on=event.on,
            at=event.at,
            place=event.place,
            url=event.url or article.url,
            regions=event.regions or article.regions,
            article_id=article.id,
        )
        for event in fields.events
    ]
    days = {entry.on for entry in listed}
    reference = desk.local_date(article.published_at) if article.published_at else None
    found: list[Happening] = happenings_in_text(
        article.body_text, reference=reference, today=desk.today, piece=0
    )
    return (*listed, *(entry for entry in diary_of(found, [article]) if entry.on not in days))


def _html_page(text: str, path: Path, origin: str, desk: IngestPolicy) -> Document:
    page = read_page(text)
    blocks, texts, cleaned = trim_blocks(html_blocks(page.html))
    title = page.data.get("title", "").casefold()
    told = zip(blocks, texts, strict=True)
    kept = [block for block, plain in told if plain.casefold() != title]
    data = dict(page.data)
    if kept and not data.get("author"):
        first = html_to_text(kept[0])
        names = names_in_byline(first) if len(first.split()) <= 12 else ()
        if names:
            data["author"] = "; ".join(names)
            del kept[0]
    front = FrontMatter(data, {}, "\n".join(kept), 1, is_present=True)
    document = _with_front_matter(front, path, origin, desk)
    article = document.articles[0]
    picture = _picture(Fields(), pictures_in(text), path, desk)
    return replace(
        document,
        articles=(replace(article, flags=(*article.flags, *cleaned.flags), picture=picture),),
    )
