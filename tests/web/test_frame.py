"""The frame of the public pages: languages, compiled once, for many threads at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mailer.app import App
from mailer.languages import load_languages
from mailer.web import frame
from mailer.web.frame import Frame, load_pages
from mailer.web.rhythm import rhythm
from tests.web.publishing import WEB_URL

PROBE = "{% trans count=3 %}{{ count }} issues{% endtrans %}"


def test_what_a_thread_compiles_meanwhile_knows_the_language(
    opened: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is compiled is shared by all languages and sites; half made it would stay so."""
    languages = load_languages()
    sources = load_pages() | {"probe.j2": PROBE}
    site = Frame(opened.publication, web_url=WEB_URL, sources=sources, languages=languages)
    in_between, go_on = threading.Event(), threading.Event()

    def slowly(*given: object) -> object:
        if not in_between.is_set():
            in_between.set()
            assert go_on.wait(10)
        return rhythm(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(frame, "rhythm", slowly)
    german = languages.words("de")
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(site.render, "probe.j2", german)
        assert in_between.wait(10)
        second = threads.submit(site.render, "probe.j2", german)
        assert second.result(10) == "3 issues"
        go_on.set()
        assert first.result(10) == "3 issues"
    assert site.render("probe.j2", languages.words("en")) == "3 issues"
