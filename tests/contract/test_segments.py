"""A segment selects the same readers on both databases, and those that plain Python says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from mailer.audience.basis import LawfulBasis
from mailer.audience.register import Register
from mailer.audience.roster import Rosters
from mailer.audience.segments import compile_segment, narrow, read_where
from mailer.clock import FixedClock
from mailer.errors import InvalidInput
from mailer.publication import Region
from mailer.segment import Both, Comparison, Either, Node, Not, read_segment
from mailer.storage import schema
from mailer.storage.database import Database
from tests.segment_meaning import Reader, matches

START = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ["town", "home town", "größe", "a.b", "it's", "$x[0]", "%(n)s", "none"]
TEXTS = ["", "Swansea", "swansea", "Swan", "ea", "Zürich", "🙂 b", "%", "_", "a'b", '"', "\\", "né"]
NUMBERS = ["0", "-1", "18", "18.0", "018", "3.5", "-3.25", "1e3", "1.", ".5", "--1", "1.2.3", "１"]
LONG = ["1234567890123456", "999999999999999", "2026-01-01", "2026-1-1"]
VALUES = [*TEXTS, *NUMBERS, *LONG]
REGIONS = ["wales", "essex"]
DAYS = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2), date.min, date.max]
SETTINGS = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def readers() -> list[Reader]:
    """Return readers who between them have every value somewhere."""
    first = Reader(datetime(2025, 6, 1, tzinfo=UTC), language="en", fields={"town": "Swansea"})
    others = [
        Reader(
            joined=START + timedelta(hours=place - 12, microseconds=-(place % 2)),
            region=REGIONS[place % 2],
            language=["", "cy", "de", "en"][place % 4],
            source=["", "shop.csv", "shop", "pages"][place % 4],
            fields={
                name: VALUES[(place * (step + 1) + step) % len(VALUES)]
                for step, name in enumerate(NAMES)
                if (place + step) % 5 and name != "none"
            },
        )
        for place in range(len(VALUES))
    ]
    return [first, *others]


@pytest.fixture
def peopled(database: Database) -> Iterator[tuple[Connection, dict[int, Reader]]]:
    known = dict(enumerate(readers(), 1))
    with database.write() as connection:
        for number, reader in known.items():
            connection.execute(
                insert(schema.subscribers).values(
                    id=number,
                    address=f"r{number}@x.example",
                    name="",
                    fields=dict(reader.fields),
                    language=reader.language,
                    created_at=reader.joined,
                )
            )
            connection.execute(
                insert(schema.subscriptions).values(
                    subscriber_id=number,
                    region=reader.region,
                    state="confirmed",
                    source=reader.source,
                    changed_at=START,
                )
            )
    with database.read() as connection:
        yield connection, known


def selected(connection: Connection, node: Node) -> set[int]:
    people, links = schema.subscribers, schema.subscriptions
    statement = (
        select(people.c.id)
        .join(links, links.c.subscriber_id == people.c.id)
        .where(compile_segment(node))
    )
    return set(connection.execute(statement).scalars())


def comparisons() -> st.SearchStrategy[Comparison]:
    signs = st.sampled_from(["=", "<", "<=", ">", ">="])
    texts = st.sampled_from(VALUES) | st.text(
        st.characters(exclude_categories=["Cc", "Cs"]), max_size=3
    )
    numbers = st.sampled_from([0.0, -1.0, 18.0, 3.5, -3.25, 999999999999999.0, 0.1])

    def made(subject: str, sign: str, values: list[object], name: str) -> Comparison:
        return Comparison(subject, name if subject == "field" else "", sign, tuple(values))  # type: ignore[arg-type]

    anything = texts | numbers
    field = st.just("field")
    plain = st.sampled_from(["region", "language", "source"])
    name = st.sampled_from(NAMES)
    worded = st.sampled_from(["contains", "starts with"])
    one_text = st.lists(texts, min_size=1, max_size=1)
    return st.one_of(
        st.builds(made, field, signs, st.lists(anything, min_size=1, max_size=3), name),
        st.builds(made, plain, signs, st.lists(texts, min_size=1, max_size=3), name),
        st.builds(made, field | plain, worded, one_text, name),
        st.builds(made, field | plain, st.just("is set"), st.just([]), name),
        st.builds(
            made,
            st.just("joined"),
            signs,
            st.lists(st.sampled_from(DAYS), min_size=1, max_size=2),
            name,
        ),
    )


NODES: st.SearchStrategy[Node] = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: Both(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: Either(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


@SETTINGS
@given(node=NODES)
def test_the_database_selects_what_python_says(
    peopled: tuple[Connection, dict[int, Reader]], node: Node
) -> None:
    connection, known = peopled
    assert selected(connection, node) == {
        number for number, reader in known.items() if matches(node, reader)
    }


@pytest.mark.parametrize(
    "text",
    [
        'field.town = "Swansea" and joined < 2026-01-01 and not language in ("cy", "de")',
        "field.\"it's\" contains '\\''",
        'field."%(n)s" is set',
        'field."$x[0]" > 17 or field.Größe starts with "S"',
        "field.none = ''",
        "field.none != 'x' and field.none is not set and not field.none < 'x'",
        "joined = 2026-01-01",
        "joined > 2025-12-31 and joined <= 2026-01-01",
        "joined <= 9999-12-31 and joined >= 0001-01-01",
    ],
)
def test_written_expressions_select_some_and_the_same(
    peopled: tuple[Connection, dict[int, Reader]], text: str
) -> None:
    connection, known = peopled
    node = read_segment(text)
    expected = {number for number, reader in known.items() if matches(node, reader)}
    assert expected
    assert selected(connection, node) == expected


@pytest.mark.parametrize(
    "attack", ["'; DROP TABLE subscribers; --", "x' OR '1'='1", '") OR 1=1 --', "%s %(x)s :x ?"]
)
def test_what_looks_like_sql_is_a_value(
    peopled: tuple[Connection, dict[int, Reader]], attack: str
) -> None:
    connection, known = peopled
    quoted = attack.replace("\\", "\\\\").replace('"', '\\"')
    for form in ('field.town = "{}"', 'source contains "{}"', 'language in ("{}")'):
        assert selected(connection, read_segment(form.format(quoted))) == set()
    assert len(connection.execute(select(schema.subscribers)).all()) == len(known)


ROSTER = """email,Home Town,Straße,Größe,Член,Member
ann@x.example,Swansea,Am Hof,XL,да,yes
bob@x.example,Bangor,,,,
"""


@pytest.mark.parametrize(
    "field",
    [
        '"Home Town"', "home_town", "Home-Town", "'HOME  town'", "straße", "Strasse",
        "Größe", "größe", "ЧЛЕН", "Member", "member",
    ],
)  # fmt: skip
def test_a_column_is_found_by_the_name_it_has_in_the_roster(database: Database, field: str) -> None:
    rosters = Rosters(database, FixedClock(START), regions())
    rosters.take(ROSTER.encode(), "wales", LawfulBasis.CONSENT)
    node = read_segment(f"field.{field} is set and not field.{field} = 'Bangor'")
    with database.read() as connection:
        addresses = select(schema.subscribers.c.address).where(
            schema.subscribers.c.id.in_(selected(connection, node))
        )
        assert set(connection.execute(addresses).scalars()) == {"ann@x.example"}


def regions(**where: str) -> dict[str, Region]:
    return {
        slug: Region(
            slug=slug,
            name=slug.title(),
            list_id=f"{slug}.lantern.example",
            reply_to=f"{slug}@lantern.example",
            parent="" if slug == "national" else "national",
            time_zone="Europe/London",
            where=where.get(slug, ""),
        )
        for slug in ("national", "wales")
    }


def peopled_register(database: Database, known: dict[str, Region]) -> Register:
    register = Register(database, FixedClock(START), known)
    for name in ("ann", "bob", "cat"):
        for slug in ("wales", "national"):
            register.add(f"{name}@x.example", slug)
    with database.write() as connection:
        people = schema.subscribers
        for name, town in (("ann", "Swansea"), ("bob", "Bangor")):
            connection.execute(
                people.update()
                .where(people.c.address == f"{name}@x.example")
                .values(fields={"town": town})
            )
    return register


def chosen(register: Register, where: str = "") -> list[tuple[str, str]]:
    audience = narrow(register.audience(), where)
    with register._database.read() as connection:
        return [
            (region, row.address[:3])
            for region, statement in audience.items()
            for row in connection.execute(statement)
        ]


def test_an_issue_narrows_its_audience(database: Database) -> None:
    register = peopled_register(database, regions())
    assert chosen(register) == [("wales", "ann"), ("wales", "bob"), ("wales", "cat")]
    assert chosen(register, "field.town is set") == [("wales", "ann"), ("wales", "bob")]
    assert chosen(register, 'region = "national"') == []


def test_a_list_that_is_narrowed_leaves_the_others_to_the_next_region(database: Database) -> None:
    register = peopled_register(database, regions(wales='field.town = "Swansea"'))
    wanted = [("national", "bob"), ("national", "cat"), ("wales", "ann")]
    assert chosen(register) == wanted
    assert [(r.region, r.address[:3]) for r in register.recipients()] == wanted
    counts = {count.region: count.recipients for count in register.counts()}
    assert counts == {"national": 2, "wales": 1}

    ids = {person.address[:3]: person.id for person in register.list()}
    pairs = [(ids[name], slug) for name in ("ann", "bob") for slug in ("wales", "national")]
    assert register.ineligible(pairs) == {(ids["bob"], "wales")}


def test_an_expression_of_the_command_line_names_its_column() -> None:
    known = ("wales", "essex")
    assert read_where('region = "wales"', known) == read_segment('region = "wales"')
    with pytest.raises(InvalidInput, match="--where: column 1: there is no region 'atlantis'"):
        read_where('region = "atlantis"', known)
    with pytest.raises(InvalidInput, match="--where: column 1: there is no 'town'"):
        read_where('town = "x"', known)
