"""Hostile words, and an issue that has them in every place a stranger's words can reach.

``PAYLOADS`` are what scripts, templates, MJML, headers and readers' eyes can be attacked with; each
has a number that no other text has. ``issue_of`` and its like put one word into every place, so
that an issue made of payloads can be compared with one made of ``PLAIN``: whatever is told apart by
more than its words got out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from mailer.articles.article import Article, DiaryEntry
from mailer.articles.cleaning import sanitise
from mailer.editions.edition import Edition
from mailer.editions.rendering import render_edition
from mailer.editions.text import one_line
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.publication import Publication, Section
from tests.browser.sampling import (
    MONDAY,
    WEB_URL,
    make_article,
    make_images,
    make_picture,
    make_publication,
    templates,
)

PLAIN = "Quiet words about a ferry"
FOREIGN = "https://foreign.example"

SCRIPTS = (
    "<script>alert(1)</script>",
    '"><script>alert(1)</script>',
    "'\"--></title></style></textarea></xmp></noscript><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" onfocus="alert(1)" autofocus="',
    "x onclick=alert(1) y=",
    "<svg/onload=alert(1)>",
    '<svg><animate onbegin="alert(1)" attributeName="x" dur="1s">',
    "<![endif]--><script>alert(1)</script><!--[if mso]>",
    "--><script>alert(1)</script><!--",
    "--!><script>alert(1)</script>",
    '<iframe srcdoc="&lt;script&gt;parent.alert(1)&lt;/script&gt;"></iframe>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    '<a href="javascript:alert(1)">press</a>',
    f"<style>*{{background:url({FOREIGN}/css)}}</style>",
    '<div style="width:expression(alert(1))">old</div>',
    f'<base href="{FOREIGN}/">',
    f'<meta http-equiv="refresh" content="0;url={FOREIGN}/">',
    f'<link rel="stylesheet" href="{FOREIGN}/x.css">',
    f'<form action="{FOREIGN}/"><input autofocus onfocus=alert(1)></form>',
    f'<img src="{FOREIGN}/pixel.gif">',
    f'<object data="{FOREIGN}/o"></object><embed src="{FOREIGN}/e">',
    "<template><script>alert(1)</script></template>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "&amp;lt;script&amp;gt;",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "<\x0bscript>alert(1)</script>",
    "\x3c\x73cript\x20src=//foreign.example/x>",
    "${alert(1)} `${alert(1)}` <%= alert(1) %>",
    "</script><script>alert(1)</script>",
    "\u2028alert(1)//\u2029",
)
TEMPLATES = (
    "{{ 7 * 191 }}",
    "{{7*191}}",
    "{% for n in range(9) %}1337{% endfor %}",
    "{# gone #}",
    "{{ reader.address }} {{ reader.unsubscribe_url }}",
    "{{ self.__init__.__globals__.__builtins__ }}",
    "{% raw %}{{ 7*191 }}{% endraw %}",
    "{% include 'subject.txt.j2' %}",
    "}} %} #} {{ {% {#",
    "%(title)s {0} {name!r} %s %n $title",
)
MJML = (
    "</mj-text><mj-raw><script>alert(1)</script></mj-raw><mj-text>",
    "</mj-text></mj-column></mj-section></mj-wrapper></mj-body></mjml>",
    '<mj-include path="/etc/passwd" type="html" />',
    '<mj-style inline="inline">*{display:none}</mj-style>',
    f'" href="{FOREIGN}/" css-class="',
    f'<mj-image src="{FOREIGN}/x.png" />',
    "<![CDATA[ x ]]>",
    "]]>",
    "<!-- htmlmin:ignore --> <?xml version='1.0'?> <!doctype html>",
    "&nbsp;&bogus;&#xD800;&#0; & &&",
    "a\u00a0b\\u{a0}\\n\\",
    "<mj-text>open",
)
HEADERS = (
    "a\r\nBcc: victim@foreign.example",
    "a\nSubject: another\n\nbody",
    "a\rX-Evil: 1",
    "a\u2028Bcc: v@foreign.example",
    "a\x85Bcc: v@foreign.example",
    "a\x0b\x0cBcc: v@foreign.example",
    "=?utf-8?q?=0D=0ABcc:_v=40foreign.example?=",
    "=?utf-8?b?PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==?=",
    '"a" <v@foreign.example>, b@foreign.example',
    ".\r\n.\r\nMAIL FROM:<x@foreign.example>",
    "--=_boundary--",
)
EYES = (
    "\u202egnp.exe\u202c",
    "\u2066left\u2069 \u200fright\u200e",
    "nul\x00 esc\x1b[2J\x1b]0;owned\x07 csi\x9b2J bell\x07",
    "soft\u00adhyphen zero\u200bwidth joined\u200djoiner \ufeffmark",
    "non\ufffecharacter \uffff \U0001fffe",
    "z\u0351\u0352\u0353\u0354\u0355\u0356\u0357a\u0351\u0352lgo",
    "\U000e0041\U000e0042 tags \U0001f468\u200d\U0001f469\u200d\U0001f467",
)
SLOTS = (
    f"s{'0123456789abcdef' * 2}n0e",
    f"s{'f' * 32}n1e s{'f' * 32}n2e",
    '{"slot":"address"} {"edge":"start"}',
    "[[unsubscribe_url]] %recipient% *|EMAIL|* {{address}}",
)
PAYLOADS = tuple(
    f"{number}q {payload} q{number}"
    for number, payload in enumerate((*SCRIPTS, *TEMPLATES, *MJML, *HEADERS, *EYES, *SLOTS), 100)
)

PLAIN_ONES = tuple(f"{PLAIN}, {number}" for number, _ in enumerate(PAYLOADS))
"""As many, and each another: what is the same twice may be said once."""

LINKS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript&colon;alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml,<svg onload=alert(1)>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://foreign.example/1",
    "//foreign.example/x",
    "https:/\\foreign.example",
    "https://user:secret@foreign.example/",
    "https://a.example\r\nX-Evil: 1",
    "https://",
    "https://[::1",
    "mailto:a@b.example?bcc=c@d.example",
)
"""What must become no link at all."""

QUOTED_LINKS = (
    'https://a.example/" onclick="alert(1)',
    "https://a.example/' onclick='alert(1)",
    "https://a.example/><script>alert(1)</script>",
    "https://a.example/{{7*191}}?{%x%}",
    "https://a.example/?a=1&b=<b>&amp;c=\\u{a0}",
    "https://a.example/\u202egnp\u00a0\u2028x",
)
"""What may be a link, and must stay within its quotes."""


def shown(text: str) -> str:
    """Return what a reader should see of a text: on one line, without what is never shown."""
    line = "".join(ch for ch in one_line(text) if unicodedata.category(ch) not in {"Cc", "Cs"})
    return " ".join(line.split())


def squeezed(text: str) -> str:
    """Return a text without white space, to find words in however they were wrapped."""
    return re.sub(r"\s+", "", text)


def articles_of(words: Sequence[str], *, url: str = "https://a.example/x") -> dict[str, Article]:
    """Return an article for each word, with it in every field a stranger fills in."""
    return {
        f"piece-{number}": make_article(
            f"piece-{number}",
            title=word,
            standfirst=word,
            authors=(word, word),
            author_note=word,
            url=url,
            body_text=word,
            body_html=sanitise(f"<p>{word}</p>"),
            picture=replace(
                make_picture("quay"), alt=word, caption=word, credit=word, licence=word
            ),
            section=word,
            tags=(word,),
            source=word,
        )
        for number, word in enumerate(words)
    }


def issue_of(word: str, articles: dict[str, Article], **changes: Any) -> Issue:
    """Return an issue of these articles, with a word in every line of its own."""
    names = list(articles)
    picks = [Pick(name) for name in names]
    picks[-1:] = [replace(pick, headline=word, standfirst=word) for pick in picks[-1:]]
    issue = Issue(
        id=MONDAY.isoformat(),
        date=MONDAY,
        number=7,
        subject=word,
        preheader=word,
        opening=word,
        opening_title=word,
        columnist=word,
        sections={"lead": tuple(picks[:1]), "news": tuple(picks[2:])},
        regions={"wales": RegionBlock(note=word, picks=tuple(picks[1:2]))},
        diary=("supper",),
        quote=word,
        quote_source=word,
    )
    return replace(issue, **changes)


def diary_of(word: str, url: str = "https://a.example/d") -> list[DiaryEntry]:
    """Return the issue's one diary entry, named, placed and linked with a word."""
    return [DiaryEntry("supper", word, date(2026, 12, 5), place=word, url=url)]


def publication_of(word: str) -> Publication:
    """Return a publication with a word for its sections' titles, its lines and its regions."""
    made = make_publication(
        title=word,
        tagline=word,
        publisher=word,
        sections=(
            Section(slug="lead", title=word, quota=1),
            Section(slug="news", title=word, quota=30),
        ),
    )
    regions = {slug: replace_name(region, word) for slug, region in made.region_map.items()}
    return made.model_copy(update={"region_map": regions})


def replace_name(region: Any, word: str) -> Any:
    """Return a region under another name; pydantic's or a dataclass, as it may be."""
    return region.model_copy(update={"name": word})


def edition_of(
    word: str,
    words: Sequence[str],
    *,
    url: str = "https://a.example/x",
    publication: Publication | None = None,
) -> Edition:
    """Render the issue that has a word in all of its lines and an article for each of the words."""
    chosen = publication or make_publication(
        sections=(
            Section(slug="lead", title="The lead", quota=1),
            Section(slug="news", title="News", quota=30),
        )
    )
    articles = articles_of(words, url=url)
    return render_edition(
        issue_of(word, articles),
        region=chosen.region("wales"),
        publication=chosen,
        articles=articles,
        diary=diary_of(word, url),
        images=make_images(),
        web_url=WEB_URL,
        templates=templates(),
    )
