"""The frame around every page: templates, the reader's language, links, colours.

``load_pages`` is the only I/O: it reads ``templates/web/`` once, the publication's own files in
the place of shipped ones of the same name, and checks them (syntax, files they include). A
``Frame`` renders from memory, in Jinja's sandbox, with everything escaped; an unknown name in a
template is an error and not a gap.

What a template may name beside what its page gives it: ``publication``, ``regions``, ``site`` (see
``Site``), ``words`` (the reader's language: ``tag``, ``direction``, ``date``) and the gettext
functions ``_``, ``gettext``, ``ngettext``; English sentences stand in the template and
``{% trans %}`` marks them.

Links are relative to the site's own root, so that the pages work under any name and behind any
proxy; what leaves the site (feeds, mail) uses ``absolute``. A language that was asked for with
``?lang=`` stays in the links: there is no cookie that could remember it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, StrictUndefined, TemplateError
from jinja2.loaders import DictLoader
from jinja2.sandbox import ImmutableSandboxedEnvironment
from starlette.requests import Request
from starlette.responses import HTMLResponse

from mailer.editions.colours import palettes
from mailer.editions.compiled import Compiled, is_known_sound, remember_sound
from mailer.errors import Fault, RenderFailed
from mailer.languages import SOURCE, Languages, Words
from mailer.publication import Publication
from mailer.resources import templates_dir
from mailer.web.rhythm import rhythm

FOLDER = "web"
STYLE = "style.css.j2"

_COMPILED = Compiled()
"""Shared by every language's environment, and by the one of the pages' next version."""


def load_pages(override: Path | None = None) -> dict[str, str]:
    """Read the pages' templates by their names below ``web/``.

    Args:
        override: the publication's ``templates`` folder; its ``web/`` replaces files.
    Raises:
        RenderFailed: one fault a file that cannot be read or is no template.
    """
    folders = [templates_dir() / FOLDER]
    if override is not None and override.resolve() != templates_dir().resolve():
        folders.append(override / FOLDER)
    sources: dict[str, str] = {}
    faults: list[Fault] = []
    for folder in folders:
        root = folder.resolve()
        for path in sorted(folder.rglob("*.j2")):
            # A link out of the folder would let a template print any file of the machine.
            if not (path.is_file() and path.resolve().is_relative_to(root)):
                continue
            try:
                text = path.read_text(encoding="utf-8-sig")
                name = path.relative_to(folder).as_posix()
                if not is_known_sound(checked := (name, str(path), text, frozenset[str]())):
                    _environment({}).parse(text, filename=str(path))
                    remember_sound(checked)
            except (OSError, UnicodeDecodeError) as error:
                faults.append(
                    Fault(f"cannot be read: {error}", where=str(path), remedy="save it as UTF-8")
                )
            except TemplateError as error:
                faults.append(
                    Fault(
                        f"is not valid Jinja: {error.message}",
                        where=str(path),
                        line=getattr(error, "lineno", None),
                        remedy="mend the line",
                    )
                )
            else:
                sources[name] = text
    if faults:
        raise RenderFailed(faults)
    return sources


class Frame:
    """Renders pages for readers in their language.

    Args:
        publication: whose site it is.
        web_url: the readers' web address without a slash at the end.
        sources: the templates, from ``load_pages``.
        languages: from ``load_languages``.
        paths: the doors' paths, so that a page links only to what there is.
        logo: the path of the masthead's picture on this site, "" for none.
    """

    def __init__(
        self,
        publication: Publication,
        *,
        web_url: str,
        sources: Mapping[str, str],
        languages: Languages,
        paths: Collection[str] = (),
        logo: str = "",
    ) -> None:
        self.publication = publication
        self.web_url = web_url
        self.languages = languages
        self.root = urlsplit(web_url).path.rstrip("/")
        self.paths = paths
        self.logo = self.root + logo if logo else ""
        self._sources = dict(sources)
        self._environments: dict[str, Environment] = {}
        self.style = self.sheet(STYLE)
        self.style_version = hashlib.sha256(self.style.encode()).hexdigest()[:16]

    def sheet(self, template: str) -> str:
        """Render a style sheet in the publication's colours."""
        light, dark = palettes(self.publication.theme)
        values = {"light": light, "dark": dark, "font": self.publication.theme.font}
        return self.render(template, self.languages.words(SOURCE), **values)

    def words(self, request: Request, region: str = "") -> Words:
        """Return the language for a request, by its region's where nothing else was asked."""
        query = request.query_params.get("lang", "")[:20]
        accepted = request.headers.get("accept-language", "")
        return self.languages.words(
            self.languages.choose(asked=query, accepted=accepted, usual=self.usual(region))
        )

    def usual(self, region: str = "") -> str:
        """Return a region's own language, or the publication's."""
        known = self.publication.region_map.get(region)
        return (known.language if known else "") or self.publication.language

    def link(self, path: str, **query: object) -> str:
        """Return a link to a page of this site; empty values are left out of its query."""
        wanted = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return self.root + quote(path) + (f"?{urlencode(wanted)}" if wanted else "")

    def absolute(self, path: str) -> str:
        """Return the whole address of a page, for what leaves the site."""
        return self.web_url + quote(path)

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        region: str = "",
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Render a page.

        Args:
            template: its file below ``templates/web/``.
            region: whose language is used where the reader asked for none.
        Raises:
            RenderFailed: a name in the template is unknown or an expression fails.
        """
        words = self.words(request, region)
        body = self.fragment(request, template, words, is_found=status < 400, **values)
        return HTMLResponse(
            body, status, headers={"Content-Language": words.tag, **(headers or {})}
        )

    def fragment(
        self, request: Request, template: str, words: Words, *, is_found: bool = True, **values: Any
    ) -> str:
        """Render a piece of a page, with the links of the site around it."""
        return self.render(template, words, site=Site(self, request, words, is_found), **values)

    def render(self, template: str, words: Words, **values: Any) -> str:
        """Render any template in a language."""
        environment = self._environment(words)
        try:
            return environment.get_template(template).render(words=words, **values)
        except (TemplateError, TypeError, ValueError, AttributeError, LookupError) as error:
            raise RenderFailed(
                Fault(
                    f"cannot be rendered: {error}",
                    where=f"templates/{FOLDER}/{template}",
                    remedy="compare it with the shipped template of that name",
                )
            ) from error

    def _environment(self, words: Words) -> Environment:
        known = self._environments.get(words.tag)
        if known is None:
            # Kept when it is whole: several threads answer, and what one of them compiles without
            # the language stays.
            known = _environment(self._sources)
            known.globals.update(
                publication=self.publication,
                rhythm=rhythm(self.publication.schedule, words),
                regions=tuple(self.publication.region_map.values()),
            )
            known.install_gettext_callables(  # type: ignore[attr-defined]
                words.gettext, words.ngettext, newstyle=True
            )
            self._environments[words.tag] = known
        return known


class Site:
    """What a page asks of the site it stands on: links, other languages, what there is."""

    def __init__(self, frame: Frame, request: Request, words: Words, is_found: bool) -> None:
        self._frame = frame
        self._query = request.query_params
        self._words = words
        self._asked = words.tag.partition("-")[0] if "lang" in request.query_params else ""
        # The page for an error stands nowhere and repeats nothing of what was asked for.
        self.path = request.scope["path"] if is_found else ""
        self.logo = frame.logo
        self.web_url = frame.web_url

    def link(self, path: str, **query: object) -> str:
        """Return a link to a page, in the language that was asked for."""
        return self._frame.link(path, **query, lang=self._asked)

    def absolute(self, path: str) -> str:
        """Return the whole address of a page."""
        return self._frame.absolute(path)

    def foreign(self, tag: str) -> str | None:
        """Return a text's language where it is not the page's, for its ``lang``; else None."""
        own, other = self._words.tag.partition("-")[0], tag.partition("-")[0]
        return tag if own != other else None

    def has(self, path: str) -> bool:
        """Say whether there is such a page."""
        return path in self._frame.paths

    def join(self, region: str) -> str:
        """Return the link to the page for joining, at a region where that has one of its own."""
        own = self.has("/join/{region}")
        return self.link(f"/join/{region}") if own else self.link("/join", region=region)

    @property
    def style(self) -> str:
        """Return the link to the style sheet as it is now."""
        return self._frame.link("/style.css", v=self._frame.style_version)

    @property
    def asked(self) -> str:
        """Return the language that was asked for with ``?lang=``, for a form to pass on."""
        return self._asked

    @property
    def tongues(self) -> list[tuple[Words, str]]:
        """Return the other languages, each with the link to this page in it."""
        if not self.path:
            return []
        own = self._words.tag.partition("-")[0]
        kept = {name: value for name, value in self._query.items() if name != "lang"}
        languages = self._frame.languages
        return [
            (languages.words(tag), self._frame.link(self.path, **{**kept, "lang": tag}))
            for tag in languages.tags
            if tag.partition("-")[0] != own
        ]


def _environment(sources: Mapping[str, str]) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
        bytecode_cache=_COMPILED,
    )
    environment.policies["ext.i18n.trimmed"] = True
    return environment
