"""Documents in every encoding that feeds are written in come out right."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.charset import charset_of, codec_of, decode
from mailer.articles.syndication import read_feed
from mailer.errors import InvalidInput

WORDS = {
    "utf-8": "Łódź, Αθήνα, Київ, 東京 – “dawn” 🚋",
    "utf-16": "Łódź, Αθήνα, Київ, 東京 🚋",
    "utf-16-le": "Łódź, Αθήνα, 東京",
    "utf-16-be": "Łódź, Αθήνα, 東京",
    "utf-32": "Łódź, Αθήνα, 東京",
    "iso-8859-1": "Café à Orléans, straße",
    "iso-8859-2": "Žižkov, Łódź, Győr",
    "iso-8859-4": "Rīga, Tērbata",
    "iso-8859-5": "Пловдив и море",
    "iso-8859-6": "مدينة على البحر",
    "iso-8859-7": "Η γέφυρα της πόλης",
    "iso-8859-8": "עיר על הים",
    "iso-8859-9": "İzmir'de bir köprü",
    "iso-8859-13": "Kaunas, žiema",
    "iso-8859-15": "Œuvre à 5 €",
    "windows-1250": "Žluťoučký kůň",
    "windows-1251": "Мост через реку",
    "windows-1252": "“Dawn” – 5 €",
    "windows-1253": "Η γέφυρα",
    "windows-1254": "Güneş doğdu",
    "windows-1256": "جسر المدينة",
    "windows-1257": "Šiauliai",
    "koi8-r": "Мост через реку",
    "koi8-u": "Міст через річку",
    "shift_jis": "朝の市場と港",
    "euc-jp": "朝の市場と港",
    "iso-2022-jp": "朝の市場と港",
    "gb2312": "清晨的市场",
    "gbk": "清晨的市場",
    "gb18030": "清晨的市场 🚋",
    "big5": "清晨的市場",
    "euc-kr": "아침 시장",
    "macintosh": "Café à Orléans",
    "tis-620": "ตลาดเช้า",
}
RSS = (
    '<?xml version="1.0" encoding="{label}"?><rss version="2.0"><channel><title>{words}</title>'
    "<item><title>{words}</title><link>https://a.example/1</link>"
    "<description>&lt;p&gt;{words}&lt;/p&gt;</description></item></channel></rss>"
)


@pytest.mark.parametrize("label", WORDS)
@pytest.mark.parametrize("how", ["declared", "header", "both"])
def test_a_feed_comes_out_right(label: str, how: str) -> None:
    words = WORDS[label]
    text = RSS.format(label=label, words=words)
    if how == "header":
        text = text.replace(f' encoding="{label}"', "")
    content_type = "" if how == "declared" else f'text/xml; charset="{label}"'
    feed = read_feed(text.encode(label), content_type=content_type)
    assert feed.title == words
    assert feed.items[0].title == words
    assert words in feed.items[0].summary_html


@pytest.mark.parametrize("label", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_shows_without_a_mark(label: str) -> None:
    assert decode("<rss>東京</rss>".encode(label)) == "<rss>東京</rss>"


def test_the_bytes_outrank_a_wrong_claim() -> None:
    text = "<rss>Łódź</rss>"
    raw = ('<?xml version="1.0" encoding="utf-8"?>' + text).encode()
    assert decode(raw, declared="iso-8859-1").endswith(text)
    assert decode(codecs.BOM_UTF8 + text.encode(), declared="shift_jis") == text
    # A site that says UTF-8 and sends Windows-1252.
    assert decode("<rss>“dawn”</rss>".encode("cp1252"), declared="utf-8") == "<rss>“dawn”</rss>"


def test_old_labels_mean_what_browsers_take_them_for() -> None:
    assert decode(b"<a>\x93dawn\x94</a>", declared="iso-8859-1") == "<a>“dawn”</a>"
    assert decode("<a>鎔</a>".encode("gbk"), declared="gb2312") == "<a>鎔</a>"
    assert charset_of("text/xml; Charset = 'KOI8-R'") == "KOI8-R"


@pytest.mark.parametrize(
    "label", ["utf-7", "idna", "punycode", "unicode_escape", "rot13", "zip", "nonsense", ""]
)
def test_what_no_document_is_written_in_is_not_known(label: str) -> None:
    assert codec_of(label) == ""
    assert decode("<rss>Łódź</rss>".encode(), declared=label) == "<rss>Łódź</rss>"


def test_a_binary_file_is_no_text() -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        decode(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")


@given(st.binary(max_size=300), st.sampled_from([*WORDS, "", "x"]))
def test_nothing_raises_but_a_refusal(raw: bytes, label: str) -> None:
    try:
        text = decode(raw, declared=label)
    except InvalidInput:
        return
    assert "\x00" not in text
