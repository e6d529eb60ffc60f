"""The inbox as a web page: what arrived, and how it looks. For a developer, on loopback.

Mail is hostile. A message's HTML is served alone, inside a sandboxed frame and under a policy
that runs nothing and loads nothing but this inbox's own pictures; everything else is escaped
text. The editions' picture addresses (``{web_url}/images/NAME``) are pointed at the folder of
prepared pictures, so that a preview needs no public web server. Nothing here changes anything:
every route is GET or HEAD. A request under a foreign host name is refused (DNS rebinding).
"""

from __future__ import annotations

import re
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from mailer.errors import NotFound
from mailer.inbox.reading import parse
from mailer.inbox.serving import OwnHost
from mailer.inbox.store import Store, StoredMessage
from mailer.resources import templates_dir

PAGE_SIZE = 100
_IMAGE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")
_IMAGE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_PLAIN = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def inbox_app(store: Store, *, images: Path, web_url: str = "") -> Starlette:
    """Return the application.

    Args:
        store: the inbox.
        images: the folder of prepared pictures; it need not exist.
        web_url: where the editions say their pictures are, without a slash at the end.
    """
    page = _Page(store, images, web_url)
    return Starlette(
        routes=[
            Route("/", page.index),
            Route("/m/{name}.eml", page.download),
            Route("/m/{name}", page.message),
            Route("/m/{name}/html", page.html),
            Route("/m/{name}/raw", page.raw),
            Route("/images/{name}", page.image),
        ],
        middleware=[Middleware(OwnHost)],
        exception_handlers={NotFound: _not_found},
    )


class _Page:
    def __init__(self, store: Store, images: Path, web_url: str) -> None:
        self._store = store
        self._images = images
        self._web_url = web_url.rstrip("/")
        self._templates = Environment(
            loader=FileSystemLoader(templates_dir() / "inbox"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["size"] = _size

    def index(self, request: Request) -> Response:
        every = self._store.messages()
        lists: dict[str, tuple[str, int]] = {}
        for item in every:
            name, count = lists.get(item.list_id, (item.list_name or item.list_id or "no list", 0))
            lists[item.list_id] = (name, count + 1)
        chosen = request.query_params.get("list")
        query = request.query_params.get("q", "").strip()
        found = [
            item
            for item in reversed(every)
            if (chosen is None or item.list_id == chosen) and _has(item, query)
        ]
        pages = max(1, -(-len(found) // PAGE_SIZE))
        number = _page_number(request.query_params.get("page", "1"), pages)

        def link(page: int) -> str:
            wanted = {"list": chosen, "q": query or None, "page": page if page > 1 else None}
            return "?" + urlencode({key: value for key, value in wanted.items() if value})

        return self._show(
            "list.html.j2",
            messages=found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE],
            lists=sorted(lists.items(), key=lambda entry: entry[1]),
            total=len(every),
            found=len(found),
            chosen=chosen,
            query=query,
            page=number,
            pages=pages,
            link=link,
        )

    def message(self, request: Request) -> Response:
        name = request.path_params["name"]
        stored = self._store.message(name)
        content = self._store.content(name)
        head, _, _ = content.partition(b"\r\n\r\n")
        message = parse(content)
        names = self._store.ids()
        at = names.index(name) if name in names else 0
        return self._show(
            "message.html.j2",
            message=stored,
            has_html=bool(_body(message, "html")),
            text=_body(message, "plain"),
            headers=head.decode("utf-8", "replace").replace("\r\n", "\n"),
            older=names[at - 1] if at else "",
            newer=names[at + 1] if at + 1 < len(names) else "",
        )

    def html(self, request: Request) -> Response:
        body = _body(parse(self._store.content(request.path_params["name"])), "html")
        if self._web_url:
            body = body.replace(f"{self._web_url}/images/", "/images/")
        # Links open beside the inbox instead of inside the frame.
        target = '<base target="_blank">'
        body, count = re.subn(r"(<head[^>]*>)", rf"\1{target}", body, count=1)
        if not count:
            body = target + body
        # A sandboxed document has no origin of its own, so 'self' is spelt out as well.
        own = str(request.base_url).rstrip("/")
        policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; img-src 'self' {own} data:; "
            "form-action 'none'; frame-ancestors 'self'; "
            "sandbox allow-popups allow-popups-to-escape-sandbox"
        )
        return HTMLResponse(body, headers=_PLAIN | {"Content-Security-Policy": policy})

    def raw(self, request: Request) -> Response:
        content = self._store.content(request.path_params["name"])
        return PlainTextResponse(content, headers=_PLAIN)

    def download(self, request: Request) -> Response:
        name = request.path_params["name"]
        disposition = {"Content-Disposition": f'attachment; filename="{name}.eml"'}
        content = self._store.content(name)
        return Response(content, media_type="message/rfc822", headers=_PLAIN | disposition)

    def image(self, request: Request) -> Response:
        name = request.path_params["name"]
        kind = _IMAGE_TYPES.get(Path(name).suffix.lower())
        if kind is None or not _IMAGE_NAME.fullmatch(name):
            raise NotFound(f"no picture {name!r}")
        try:
            content = (self._images / name).read_bytes()
        except OSError:
            raise NotFound(f"no picture {name!r}") from None
        return Response(content, media_type=kind, headers=_PLAIN)

    def _show(self, template: str, **values: Any) -> Response:
        body = self._templates.get_template(template).render(**values)
        return HTMLResponse(body, headers=_PLAIN | {"Content-Security-Policy": _PAGE_POLICY})


def _not_found(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", status_code=404, headers=_PLAIN)


def _has(item: StoredMessage, query: str) -> bool:
    wanted = query.casefold()
    return any(wanted in text.casefold() for text in (item.to, item.subject, *item.recipients))


def _page_number(text: str, pages: int) -> int:
    # A long row of digits is refused before int() spends time on it.
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
    return min(max(number, 1), pages)


def _body(message: EmailMessage, kind: str) -> str:
    """Return a part's text, "" when there is none that decodes."""
    try:
        part = message.get_body((kind,))
        content = part.get_content() if isinstance(part, EmailMessage) else ""
    except (LookupError, ValueError, AttributeError):
        return ""
    return content if isinstance(content, str) else ""


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1000:.0f} kB" if size_bytes >= 1000 else f"{size_bytes} B"
