"""Feeds of every kind are read, and what is no feed or worse is refused in one sentence."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Picture
from mailer.articles.feeddates import moment_in
from mailer.articles.syndication import Feed, FeedItem, read_feed
from mailer.errors import InvalidInput

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

RSS = """
<?xml version="1.0"?>
<rss version="2.0" xmlns:DC="http://purl.org/dc/elements/1.1/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:m="http://search.yahoo.com/mrss/">
<channel><title>Town &amp; Quay</title><link>https://town.example/</link>
<item>
  <title>Ferry &lt;em&gt;late&lt;/em&gt; &amp;amp; full</title>
  <link> /news/1 </link>
  <guid isPermaLink="false">n-1</guid>
  <author>desk@town.example (Ann Reed)</author>
  <DC:creator>Ann Reed</DC:creator><DC:creator>By Bo Lund</DC:creator>
  <category>News</category><category><![CDATA[Quays & piers]]></category>
  <pubDate>Thu, 26 Nov 2026 10:00:00 +0100</pubDate>
  <description>In short&nbsp;&hellip; &amp; sweet & plain</description>
  <content:encoded><![CDATA[<p>The <a href="/x">whole</a> of it.</p>]]></content:encoded>
  <m:group>
    <m:thumbnail url="https://town.example/small.jpg" width="90"/>
    <m:content url="https://town.example/mid.jpg" type="image/jpeg" width="400"/>
    <m:content url="https://town.example/big.jpg" medium="image" width="1200">
      <m:credit>Cam Field</m:credit><m:description>A ferry</m:description>
      <m:license href="https://licence.example/by/4.0/">CC BY 4.0</m:license>
    </m:content>
  </m:group>
</item>
<item><title>Only a title</title><guid>https://town.example/news/2</guid></item>
<item><link>https://town.example/news/3</link></item>
</channel></rss>
"""

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://town.example/"><title>Old Town</title>
<link>https://town.example/</link></channel>
<item rdf:about="https://town.example/1"><title>One</title>
<description>First</description><dc:date>2026-11-26T10:00:00+01:00</dc:date>
<dc:creator>Ann Reed</dc:creator><dc:subject>Quays</dc:subject></item></rdf:RDF>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://town.example/blog/">
<title type="html">Town &amp;amp; Quay</title><link href="." rel="alternate"/>
<link href="feed" rel="self"/><author><name>The Desk</name></author>
<entry xml:base="2026/"><id>tag:town.example,2026:1</id><title type="text">5 &lt; 6</title>
<link rel="enclosure" type="image/png" href="https://town.example/p.png"/><link href="one"/>
<published>2026-11-26T09:00:00Z</published><updated>2026-11-27T09:00:00Z</updated>
<category term="q" label="Quays"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>An <em>x</em>.</p></div>
</content></entry>
<entry><id>https://town.example/two</id><title>Two</title><summary>Plain &amp; short</summary>
<updated>2026-11-26T09:00:00Z</updated><author><name>Bo Lund</name></author></entry>
</feed>"""

ATOM_03 = """<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Old</title>
<entry><title mode="escaped">A &amp;amp; B</title><link rel="alternate" href="https://o.example/1"/>
<id>o-1</id><issued>2026-11-26T09:00:00Z</issued>
<content type="text/html" mode="escaped">&lt;p&gt;Body&lt;/p&gt;</content></entry></feed>"""

JSON = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Town",
    "home_page_url": "https://town.example/",
    "items": [
        {
            "id": 7,
            "url": "/seven",
            "title": "Seven",
            "content_text": "One.\n\nTwo <3.",
            "date_published": "2026-11-26T10:00:00+01:00",
            "authors": [{"name": "Ann Reed"}],
            "tags": ["Quays"],
            "image": "https://town.example/7.jpg",
        },
        {"id": "x", "title": ["not", "text"]},
        "nonsense",
        {"id": "empty"},
    ],
}


def read(text: str, url: str = "https://town.example/feed.xml") -> Feed:
    return read_feed(text.encode(), url=url)


def test_rss_with_its_modules() -> None:
    feed = read(RSS)
    assert (feed.title, feed.url) == ("Town & Quay", "https://town.example/")
    first, second = feed.items
    assert first == FeedItem(
        guid="n-1",
        url="https://town.example/news/1",
        title="Ferry late & full",
        summary_html="In short\xa0… & sweet & plain",
        content_html='<p>The <a href="/x">whole</a> of it.</p>',
        authors=("Ann Reed", "Bo Lund"),
        published_at=AT,
        tags=("News", "Quays & piers"),
        picture=Picture("https://town.example/big.jpg", "A ferry", "", "Cam Field", "CC BY 4.0"),
        base="https://town.example/",
    )
    assert (second.title, second.url) == ("Only a title", "https://town.example/news/2")
    assert feed.left_out == 1


def test_rdf() -> None:
    (item,) = read(RDF).items
    assert (item.url, item.title, item.summary_html) == ("https://town.example/1", "One", "First")
    assert (item.authors, item.tags, item.published_at) == (("Ann Reed",), ("Quays",), AT)


def test_atom() -> None:
    feed = read(ATOM)
    assert (feed.title, feed.url) == ("Town & Quay", "https://town.example/blog/")
    one, two = feed.items
    assert (one.title, one.url) == ("5 < 6", "https://town.example/blog/2026/one")
    assert one.content_html.strip() == "<div><p>An <em>x</em>.</p></div>"
    assert (one.published_at, one.authors, one.tags) == (AT, ("The Desk",), ("Quays",))
    assert one.picture == Picture("https://town.example/p.png")
    assert (two.url, two.authors) == ("https://town.example/two", ("Bo Lund",))
    assert (two.summary_html, two.published_at) == ("<p>Plain &amp; short</p>", AT)
    (old,) = read(ATOM_03).items
    assert (old.title, old.content_html, old.published_at) == ("A & B", "<p>Body</p>", AT)


def test_json_feed() -> None:
    feed = read(json.dumps(JSON))
    (item,) = feed.items
    assert (item.guid, item.url) == ("7", "https://town.example/seven")
    assert item.content_html == "<p>One.</p><p>Two &lt;3.</p>"
    assert (item.authors, item.published_at, item.tags) == (("Ann Reed",), AT, ("Quays",))
    assert item.picture == Picture("https://town.example/7.jpg")
    assert feed.left_out == 3


def test_what_feeds_get_wrong_every_day_is_mended() -> None:
    text = "junk before \x00".replace("\x00", "\x0b") + RSS.strip().replace("late", "la\x08te")
    assert read(text).items[0].title == "Ferry late & full"
    unknown = (
        "<rss><channel><item><title>A &nosuch; B &#0; C &#xD800;</title></item></channel></rss>"
    )
    assert read(unknown).items[0].title == "A &nosuch; B C"


def test_a_prefix_that_nobody_declared_means_what_it_usually_means() -> None:
    item = "<item><title>A</title><dc:creator>Ann</dc:creator><x:y>z</x:y></item>"
    assert read(f"<rss><channel>{item}</channel></rss>").items[0].authors == ("Ann",)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
MANY = "<rss " + " ".join(f"a{n}=''" for n in range(150)) + "/>"
DEEP = "<rss>" + "<a>" * 5_000 + "</a>" * 5_000 + "</rss>"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("   \n ", "is empty"),
        ("Not found", "is neither XML nor JSON"),
        ("<html><head><title>x</title></head></html>", "is a web page, not a feed"),
        ("<!DOCTYPE html><p>x", "is a web page, not a feed"),
        ("<rss><channel><item></channel></rss>", "is not well-formed XML: mismatched tag"),
        ("<rss><channel>", "is not well-formed XML: no element found"),
        ("<rss></rss><rss></rss>", "is not well-formed XML: junk after document element"),
        ("<rss a='1' a='2'/>", "is not well-formed XML: duplicate attribute"),
        ("<dc:rss/>", "it begins with <dc:rss>"),
        ("<rss x:y='1'/>", "is not well-formed XML: unbound prefix"),
        ("<opml version='2.0'/>", "it begins with <opml>"),
        (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><rss>&l9;</rss>', "declares entities"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss>&x;</rss>', "declares"),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "http://x.example/e">%p;]><rss/>', "declares"),
        ("<!DOCTYPE a []><rss/>", "declares entities"),
        (DEEP, "nests over 100 elements deep"),
        ("<rss>" + "<a/>" * 100_001 + "</rss>", "has over 100,000 elements"),
        (MANY, "over 100 attributes"),
        ("{", "is not well-formed JSON"),
        ('{"a": ' + "[" * 100_000, "is JSON that nests too deep"),
        ('{"version": "2"}', "is JSON, but no JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1", "items": 3}', "no JSON Feed"),
        ('{"n": ' + "9" * 5_000 + "}", "is not well-formed JSON"),
    ],
    ids=range(24),
)
def test_what_is_no_feed_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    (fault,) = caught.value.faults
    assert says in str(fault)
    assert len(str(fault)) < 300


def test_an_old_doctype_without_entities_is_harmless() -> None:
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://n.example/r.dtd">'
    assert read(doctype + RSS.strip().split("\n", 1)[1]).title == "Town & Quay"


def test_a_page_names_its_feeds() -> None:
    page = (
        "<html><head><link rel=alternate type='application/atom+xml' href='/a&amp;b'>"
        '<link href="https://x.example/f" type="application/rss+xml" rel="alternate"></head>'
    )
    with pytest.raises(InvalidInput, match=r"its feed is https://town\.example/a&b"):
        read(page)


def test_addresses_that_are_none_are_left_out() -> None:
    for link in (
        "javascript:alert(1)",
        "mailto:a@b.example",
        "https://[x",
        "https://a b/",
        "ftp://x",
    ):
        text = f"<rss><channel><item><title>x</title><link>{link}</link></item></channel></rss>"
        assert read(text).items[0].url == ""


def test_only_so_many_items_are_read() -> None:
    items = "<item><title>x</title></item>" * 700
    assert len(read(f"<rss><channel>{items}</channel></rss>").items) == 500


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Thu, 26 Nov 2026 10:00:00 +0100", AT),
        ("Thursday, 26 November 2026 09:00:00 GMT", AT),
        ("26 Nov 2026 09:00:00 Z", AT),
        ("Thu, 26 Nov 2026 10:00:00 CET", AT),
        ("Thu, 26 Nov 26 09:00 GMT", AT),
        ("2026-11-26T09:00:00Z", AT),
        ("2026-11-26T09:00:00.123Z", AT.replace(microsecond=123_000)),
        ("2026-11-26 09:00:00", AT),
        ("2026-11-26", AT.replace(hour=0)),
        ("2026-11", AT.replace(hour=0, day=1)),
        ("0001-01-01T00:00:00Z", None),
        ("Thu, 26 Nov 9999 10:00:00 GMT", None),
        ("yesterday", None),
        ("", None),
        ("2026-13-45", None),
    ],
)
def test_dates(text: str, found: datetime | None) -> None:
    assert moment_in(text) == found


@given(st.text(max_size=60) | st.from_regex(r"[\w ,:+-]{0,40}"))
def test_no_date_raises(text: str) -> None:
    found = moment_in(text)
    assert found is None or found.tzinfo is UTC


@given(st.text(max_size=200), st.sampled_from(["<rss>", "<feed>", "{", "", "<!DOCTYPE"]))
def test_nothing_raises_but_a_refusal(text: str, head: str) -> None:
    with suppress(InvalidInput):
        read_feed((head + text).encode("utf-8", "surrogatepass"))


@given(st.data())
def test_a_good_feed_that_was_damaged_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([RSS, RDF, ATOM, json.dumps(JSON)])).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(raw)))
    with suppress(InvalidInput):
        read_feed(bytes(raw[:end]), url="https://a.example/")
