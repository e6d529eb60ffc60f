"""An issue of The Lantern as a page tears it apart, and what a person sees in it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.articles.article import Article, Document, Kind
from mailer.articles.blocks import Block, mend, parse_blocks
from mailer.articles.files import read_document
from mailer.articles.intake import IngestPolicy
from mailer.articles.lettering import vocabulary_of
from mailer.articles.newspaper import find_masthead, split_newspaper
from mailer.articles.questions import read_questions
from mailer.articles.rejoining import join_drop_caps

PAPER = Path(__file__).parents[1] / "fixtures" / "articles" / "lantern-paper.txt"
DESK = IngestPolicy(
    datetime(2031, 11, 28, 12, tzinfo=UTC),
    "Europe/London",
    PAPER.parent,
    {"toller": ()},
    ("housing", "letters"),
)


LEAD = """
The bill came on a Tuesday, in a brown envelope, and it charged every flat for the wear of eleven
steps. Nobody on Cooper Row had ever seen such a thing, and the postman said that he had delivered
forty of them.

The company that owns the row says that stairs are a service. Its letter speaks of "vertical access"
and of a neighbourhood contribution, to be paid each quarter in advance.

Hedda Brook, who lives at the top, keeps the letter on the fridge. "We have walked up for thirty
years and never once been carried," she said. The self-help group met in her kitchen, because the
self-help group has nowhere else, and the meeting agreed that no family would pay before the others
had been asked. They wrote one answer for all forty doors.

The company has not replied. It did send a man with a clipboard, who counted the steps again and
found twelve.

The families have hired a surveyor of their own, who found that the staircase carries the roof. If
the stairs are a service, she says, then so is the sky.

A torchlight walk against the bill sets off from Cooper Row on 13 December at 6pm. The tenants'
choir holds a singing workshop there every second Thursday at 7pm in the Wash House.
"""


@pytest.fixture(scope="module")
def paper() -> Document:
    return read_document(PAPER, desk=DESK)


def split(text: str) -> Document:
    masthead = find_masthead(parse_blocks(text))
    assert masthead is not None
    return split_newspaper(text, masthead, origin="x", desk=DESK)


def codes(article: Article) -> set[str]:
    return {flag.code for flag in article.flags}


def test_the_pieces_are_what_a_person_sees(paper: Document) -> None:
    assert [(a.title, a.authors, a.kind, len(a.parts), a.section) for a in paper.articles] == [
        ("The landlord who counted the stairs", ("Winifred Aske",), Kind.NEWS, 0, "housing"),
        ("A tram stop moves nine yards and loses its name", ("Ivo Marchbank",), Kind.NEWS, 0, ""),
        ("Five questions for a lamplighter", (), Kind.INTERVIEW, 3, ""),
        ("Sir, the bins", ("Agnes Tull",), Kind.NEWS, 0, "letters"),
        ("Six hands and a loom", ("Winifred Aske",), Kind.FEATURE, 2, ""),
        ("Chapel roof stays on", ("Oskar Pell",), Kind.NEWS, 0, ""),
    ]
    assert paper.flags == ()


def test_the_lead_is_whole_again(paper: Document) -> None:
    lead = paper.articles[0]
    assert lead.standfirst.startswith("Forty families on Cooper Row")
    assert " ".join(lead.body_text.split()) == " ".join(LEAD.split())
    assert len(lead.body_text.split("\n\n")) == 6
    assert lead.quotes == ("We have walked up for thirty years and never once been carried",)
    assert lead.picture is not None
    assert (lead.picture.credit, lead.picture.licence) == ("Oda Pryce", "CC BY-SA 4.0")
    assert {"continued", "text-rejoined", "pull-quote-taken"} <= codes(lead)
    assert any("neigh- | bourhood" in join for join in lead.joins)


def test_adverts_are_kept_out_whatever_they_say(paper: Document) -> None:
    assert [advert.title for advert in paper.adverts] == [
        "Ferry café",
        "Warm coats for tall people",
        "Weekly letter",
        "Neighbours",
    ]
    texts = "\n".join(article.body_text for article in paper.articles)
    assert "Soup from noon" not in texts
    assert "ADVERTISEMENT" not in texts
    assert [entry.name for entry in paper.directory] == [
        "Head Office",
        "Cooper Row",
        "Salt Lane",
        "Toller",
    ]


def test_the_diary_reads_every_form(paper: Document) -> None:
    assert [(e.on, e.until, e.at, e.ends_at, e.title) for e in paper.diary] == [
        (date(2031, 12, 5), date(2031, 12, 7), None, None, "Winter fair"),
        (date(2031, 12, 11), date(2032, 6, 1), time(19), None, "Singing workshop"),
        (date(2031, 12, 11), None, time(19, 30), time(21), "Public meeting about the stop"),
        (date(2031, 12, 13), None, time(18), None, "Torchlight walk against the bill"),
    ]
    assert paper.diary[1].repeats == "FREQ=MONTHLY;BYDAY=2TH"


def test_every_sentence_is_accounted_for(paper: Document) -> None:
    assert lost(PAPER.read_text(encoding="utf-8"), paper) == set()


# What must hold of any paper

MARKS = re.compile(
    r"continued (?:on|from) page \d+|^\d+ the lantern$|december 2031.*|^advertisement$"
    r"|^the lantern$"
)


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def lost(text: str, document: Document) -> set[str]:
    """Return the words of a paper that stand in nothing it became; hyphens at line ends apart."""
    whole = re.sub(r"(\w)-\n\s*([a-z])", r"\1\2", text)
    lines = (MARKS.sub(" ", line.strip("# *").casefold()) for line in whole.split("\n"))
    kept = [
        part
        for a in document.articles
        for picture in (a.picture, *a.credits)
        for part in (
            a.title, a.body_text, a.standfirst, a.author_note, *a.authors, *a.parts, *a.quotes,
            *(flag.note for flag in a.flags), a.section, a.kind.value,
            *((picture.caption, picture.credit, picture.licence) if picture else ()),
        )
    ]  # fmt: skip
    kept += [part for advert in document.adverts for part in (advert.title, advert.text)]
    kept += [part for e in document.directory for part in (e.name, e.address, e.phone)]
    kept += [flag.note for flag in document.flags]
    # "CC BY-SA" is written with other marks, and letters set apart are words again.
    there = set(words_of(" ".join(kept))) | {"photo"}
    flat = re.sub(r"\s", "", " ".join(kept).casefold())
    return {
        word for line in lines for word in words_of(line) if word not in there and word not in flat
    }


SENTENCES = st.sampled_from(
    [
        "The harbour was full of small boats that nobody had paid for.",
        "It rained on the market until the cheese had to be carried inside.",
        "Our neighbours say that the bus never came, and they have kept a list.",
        "A man with a ladder took the sign down and put another one up.",
        "“We have been here since the flood,” said the baker at the corner.",
        "The council will meet again when the hall has been dried.",
    ]
)
TITLES = ["Rain", "BOATS FOR EVERYBODY", "A ladder speaks", "OLD BREAD, NEW OVEN"]
BODIES = st.lists(st.lists(SENTENCES, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=3)


class Numbers:
    """Gives every sentence a word of its own, so that none can be lost behind its twin."""

    def __init__(self) -> None:
        self._next = 0

    def sub_all(self, paragraph: str) -> str:
        return re.sub(r"\.(?= |$)", self._one, paragraph)

    def _one(self, _: re.Match[str]) -> str:
        self._next += 1
        return f", said voice{self._next}x."


@st.composite
def papers(draw: st.DrawFn) -> str:
    """A paper of pieces with all that may stand around and inside them."""
    number = Numbers()
    out = ["# THE LANTERN", "DECEMBER 2031 • FREE EVERY MONTH • ISSUE NO. 41"]
    titles = draw(
        st.lists(
            st.sampled_from(TITLES),
            min_size=3, max_size=4, unique=True,
        )
    )  # fmt: skip
    for title in titles:
        if draw(st.booleans()):
            out.append(draw(st.sampled_from(["HOUSING", "NEWS", "## Editorial"])))
        out.append(f"{'#' * draw(st.integers(1, 3))} {title}")
        if draw(st.booleans()):
            out.append("**UNA BRANDT**")
        body = [number.sub_all(paragraph) for paragraph in draw(BODIES)]
        cut = draw(st.integers(1, 5))
        words = body[0].split()
        if draw(st.booleans()) and len(words) > cut + 3:
            out += [" ".join(words[:-cut]), " ".join(words[-cut:])]
        else:
            out.append(body[0])
        if draw(st.booleans()):
            out.append("## FERRY CAFÉ\n\nSoup all day. Call us on 01632 960177")
        if draw(st.booleans()):
            out.append("BOATS AT REST. PHOTO: ODA PRYCE / CC BY 2.0")
        out += body[1:]
        if draw(st.booleans()):
            out.append(f"**“{words_and_stop(body[-1])}”**")
    return "\n\n".join(out) + "\n"


def words_and_stop(paragraph: str) -> str:
    return paragraph.split(". ", maxsplit=1)[0].strip("“”. ,")


@settings(max_examples=60)
@given(text=papers())
def test_no_paper_loses_a_word(text: str) -> None:
    assert lost(text, split(text)) == set()


@settings(max_examples=15)
@given(text=papers(), where=st.integers(0, 400))
def test_a_paper_is_read_the_same_way_every_time(text: str, where: int) -> None:
    cut = text[: len(text) - where]
    if find_masthead(parse_blocks(cut)) is not None:
        assert split(cut) == split(cut)


# Single steps


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("T", "he bill came on a Tuesday, in a brown envelope.", "The bill came on a Tuesday"),
        ("**T**", "HE BILL came on a Tuesday, in a brown envelope.", "THE BILL came on a Tuesday"),
        ("A", "bill came on a Tuesday, in a brown old envelope.", "A bill came on a Tuesday"),
        ("“W", "e have walked up these stairs for thirty years.", "“We have walked up"),
    ],
)
def test_drop_caps_go_back_to_their_word(first: str, second: str, expected: str) -> None:
    known = vocabulary_of(["There was a bill and the bill was long, they said."])
    blocks = [Block(first, 1, 0, (first,)), Block(second, 3, 0, (second,))]
    (joined,) = join_drop_caps(blocks, known)
    assert joined.plain.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("T he bill came on a Tuesday, as all bills do.", "The bill came"),
        ("A bill came on a Tuesday, as all bills do.", "A bill came"),
        ("A torch was carried up, and the stairs were lit.", "A torch was"),
        ("A fter the bill came a man with a clipboard.", "After the bill"),
        ("I n the morning there was nobody on the stairs.", "In the morning"),
    ],
)
def test_a_letter_set_apart_in_a_line_is_a_word_only_where_it_is_one(
    text: str, expected: str
) -> None:
    known = vocabulary_of(["There was a bill and after the bill, in time, the bill was long."])
    (block,) = join_drop_caps([Block(text, 1, 0, (text,))], known)
    assert block.plain.startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It was a neigh-\nbour who came to see the four of us.", "It was a neighbour who"),
        ("The rank-and-\nfile has met and will meet the others again.", "The rank-and-file has"),
        ("The self-\nhelp group met in her kitchen and had some tea.", "The self-help group"),
        ("They met in co\u00ad\noperation with the others, and had some tea.", "They met in coop"),
    ],
)
def test_words_broken_at_a_hyphen_are_whole(text: str, expected: str) -> None:
    known = vocabulary_of(["He said the self-help was self help, of a self, of help, of a kind."])
    mended = mend([Block(text, 1, 0, tuple(text.split("\n")))], known)
    assert " ".join(mended.blocks[0].text.split()).startswith(expected)


def test_questions_marked_by_letters_are_the_parts_of_an_interview() -> None:
    rows = [
        "Q: Who?",
        "A: The baker.",
        "Q: When, and with whom?",
        "A: At dawn.",
        "Q: Why?",
        "A: Bread.",
    ]
    blocks, asked = read_questions([Block(row, 1, 0, (row,)) for row in rows])
    assert asked == ["Who?", "When, and with whom?", "Why?"]
    assert [block.text for block in blocks if not block.level] == [
        "The baker.",
        "At dawn.",
        "Bread.",
    ]


def test_two_bold_questions_are_no_interview() -> None:
    blocks = [Block("**Why not here?**", 1, 0, ("**Why not here?**",)), Block("So.", 2)]
    assert read_questions(blocks) == (blocks, [])


def test_a_piece_that_goes_on_nowhere_is_flagged() -> None:
    text = PAPER.read_text(encoding="utf-8")
    broken = split(text.replace("*Continued from page 1*\n\n", ""))
    assert "continuation-missing" in codes(broken.articles[0])
    orphan = split(text.replace(" Continued on page 4", ""))
    assert any("continuation-unmatched" in codes(article) for article in orphan.articles)


NOON = "The boats came in at noon. "
BUSY = {
    "quotes": f"# A\n\n{NOON * 400}" + "\n\n**Words that nobody ever wrote**" * 300,
    "jumps": f"# A\n\n{NOON}Continued on page 4\n\n" * 150
    + f"# A\n\nContinued from page 1\n\n{NOON}\n\n" * 150,
    "letters": "# A\n\n" + "a" * 30_000 + "\n\n# B\n\n" + "a-" * 15_000,
    "white": "# A\n\nx" + " " * 60_000 + "continued\n\n# B\n\n" + "*" * 30_000,
    "marks": "# A\n\nQ:" + " *" * 9_000,
    "speech": f"# A\n\n{NOON}" + "“" * 30_000,
    "hyphens": "# A\n\n" + "ab-\n" * 4_000,
}


@pytest.mark.parametrize("body", BUSY.values(), ids=BUSY)
def test_no_text_keeps_it_busy(body: str) -> None:
    """What could take the square of its length to read is read to its end."""
    text = f"# THE LANTERN\n\nDECEMBER 2031 • ISSUE NO. 41\n\n{body}\n\n# B\n\n# C\n\nIt rained."
    assert split(text).origin == "x"
