"""The register keeps its promises on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.audience.joining import Entry, take_in
from mailer.audience.register import Register
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.suppression import SuppressionReason
from mailer.audience.turns import in_turn
from mailer.clock import FixedClock
from mailer.errors import IllegalTransition, InvalidInput, NotFound
from mailer.publication import Region
from mailer.storage.database import Database


def region(slug: str, parent: str = "national") -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        parent=parent,
        time_zone="Europe/London",
    )


REGIONS = {
    each.slug: each
    for each in (
        region("national", parent=""),
        region("essex"),
        region("wales"),
        region("cardiff", parent="wales"),
    )
}


@pytest.fixture
def register(database: Database, clock: FixedClock) -> Register:
    return Register(database, clock, REGIONS)


def chosen(register: Register) -> list[tuple[str, str]]:
    return [(r.region, r.address) for r in register.recipients()]


def test_an_added_reader_is_stored_once_in_normal_form(register: Register) -> None:
    added = register.add("  Zoë@Bücher.Example", "wales", "Zoe\u0308\n Jones", source="stall")
    again = register.add("zoë@bücher.example", "wales", "Somebody Else")

    assert added.address == "zoë@xn--bcher-kva.example"
    assert added.name == "Zoë Jones"
    assert [(s.region, s.state, s.source) for s in added.subscriptions] == [
        ("wales", SubscriptionState.CONFIRMED, "stall")
    ]
    assert again == added
    assert len(register.show("ZOË@bücher.example").history) == 1


def test_adding_to_an_unknown_region_names_the_known_ones(register: Register) -> None:
    with pytest.raises(NotFound, match=r"'atlantis'.*national, essex, wales, cardiff"):
        register.add("ada@x.example", "atlantis")
    with pytest.raises(NotFound):
        register.show("ada@x.example")


def test_an_unusable_address_or_name_is_refused(register: Register) -> None:
    with pytest.raises(InvalidInput, match="no-at-sign"):
        register.add("no-at-sign", "wales")
    with pytest.raises(InvalidInput, match=r"name: has the control character U\+0000"):
        register.add("ada@x.example", "wales", "A\x00da")


def test_one_copy_for_somebody_on_several_lists_the_most_specific(register: Register) -> None:
    for slug in ("national", "wales", "cardiff", "essex"):
        register.add("all@x.example", slug)
    for slug in ("national", "wales", "essex"):
        register.add("two@x.example", slug)
    register.add("one@x.example", "national")

    assert chosen(register) == [
        ("national", "one@x.example"),
        ("essex", "two@x.example"),
        ("cardiff", "all@x.example"),
    ]


def test_recipients_are_ordered_by_region_then_by_code_point(register: Register) -> None:
    for address in ("b@x.example", "é@x.example", "_a@x.example", "a-b@x.example", "ab@x.example"):
        register.add(address, "wales")
    register.add("z@x.example", "national")

    names = [address for _, address in chosen(register)]

    assert names == ["z@x.example", *sorted(names[1:])]


def test_recipients_of_some_regions_are_still_chosen_among_all(register: Register) -> None:
    register.add("both@x.example", "national")
    register.add("both@x.example", "wales")
    register.add("one@x.example", "national")

    national = list(register.recipients(only={"national"}))

    assert [r.address for r in national] == ["one@x.example"]
    assert list(register.recipients(only=())) == []


def test_a_reader_who_leaves_their_group_gets_the_next_list_they_are_on(
    register: Register,
) -> None:
    register.add("ada@x.example", "national")
    register.add("ada@x.example", "wales")
    assert register.remove("ada@x.example", "wales") == ("wales",)
    assert chosen(register) == [("national", "ada@x.example")]


def test_recipients_may_be_read_inside_a_transaction(
    register: Register, database: Database
) -> None:
    register.add("ada@x.example", "wales")
    with database.write() as connection:
        assert [r.address for r in register.recipients(connection=connection)] == ["ada@x.example"]


def test_leaving_every_list_and_leaving_twice(register: Register, clock: FixedClock) -> None:
    register.add("ada@x.example", "wales")
    register.add("ada@x.example", "essex")
    clock.sleep(60)

    assert register.remove("ADA@x.example", source="letter") == ("essex", "wales")
    assert register.remove("ada@x.example") == ()
    assert chosen(register) == []

    history = register.show("ada@x.example").history
    assert [(e.region, e.step, e.state.value, e.source) for e in history] == [
        ("wales", "import", "confirmed", "operator"),
        ("essex", "import", "confirmed", "operator"),
        ("essex", "unsubscribe", "unsubscribed", "letter"),
        ("wales", "unsubscribe", "unsubscribed", "letter"),
    ]
    assert history[2].at - history[0].at == timedelta(seconds=60)


def test_removing_the_unknown(register: Register) -> None:
    with pytest.raises(NotFound, match=r"nobody@x.example is not known"):
        register.remove("nobody@x.example")
    register.add("ada@x.example", "wales")
    with pytest.raises(NotFound, match="not on list 'essex'; it is on wales"):
        register.remove("ada@x.example", "essex")


def test_who_left_comes_back_only_by_an_explicit_step(register: Register) -> None:
    register.add("ada@x.example", "wales")
    register.remove("ada@x.example", "wales")

    with pytest.raises(IllegalTransition, match=r"unsubscribed from this list.*--rejoin"):
        register.add("ada@x.example", "wales")
    with pytest.raises(IllegalTransition, match=r"unsubscribed from wales .*--rejoin"):
        register.add("ada@x.example", "essex")
    assert chosen(register) == []

    register.add("ada@x.example", "wales", rejoin=True, source="wrote to us")

    assert chosen(register) == [("wales", "ada@x.example")]
    last = register.show("ada@x.example").history[-1]
    assert (last.step, last.source) == ("rejoin", "wrote to us")


def test_rejoining_on_another_list_than_the_one_left(register: Register) -> None:
    register.add("ada@x.example", "wales")
    register.remove("ada@x.example")
    register.add("ada@x.example", "essex", rejoin=True)
    assert chosen(register) == [("essex", "ada@x.example")]


def test_who_left_one_list_and_kept_another_may_be_added_to_a_third(register: Register) -> None:
    register.add("ada@x.example", "wales")
    register.add("ada@x.example", "national")
    register.remove("ada@x.example", "wales")
    register.add("ada@x.example", "essex")
    assert chosen(register) == [("essex", "ada@x.example")]


def test_suppression_outranks_everything(register: Register) -> None:
    register.add("ada@x.example", "wales")
    register.suppress("ADA@x.example", "complaint", "reported on 3 November")
    register.suppress("never-seen@x.example", SuppressionReason.MANUAL)

    assert chosen(register) == []
    for address in ("ada@x.example", "never-seen@x.example"):
        for rejoin in (False, True):
            with pytest.raises(IllegalTransition, match=r"is suppressed.*unsuppress"):
                register.add(address, "essex", rejoin=rejoin)


def test_the_first_suppression_stays(register: Register, clock: FixedClock) -> None:
    first = register.suppress("ada@x.example", "complaint", "seen")
    clock.sleep(5)
    assert register.suppress("ada@x.example", "manual", "later") == first
    standing = register.show("ada@x.example")
    assert standing.suppression == first
    assert standing.subscriber is None
    assert register.suppressions() == (first,)


def test_lifting_a_suppression_gives_back_what_stood(register: Register) -> None:
    register.add("ada@x.example", "wales")
    register.suppress("ada@x.example", "bounce", "550 5.1.1")
    assert register.unsuppress("ada@x.example", why="typing error").evidence == "550 5.1.1"
    assert chosen(register) == [("wales", "ada@x.example")]
    with pytest.raises(NotFound, match="not suppressed"):
        register.unsuppress("ada@x.example")


def test_an_erased_reader_stays_forgotten(register: Register) -> None:
    register.suppress("ada@x.example", "erased")
    with pytest.raises(IllegalTransition, match="only the reader"):
        register.unsuppress("ada@x.example")


def test_an_unknown_reason_is_refused(register: Register) -> None:
    with pytest.raises(InvalidInput, match=r"'whim'.*complaint, bounce, erased, manual"):
        register.suppress("ada@x.example", "whim")


def test_ineligible_names_everybody_who_may_not_be_sent(register: Register) -> None:
    stays = register.add("stays@x.example", "wales").id
    left = register.add("left@x.example", "wales").id
    barred = register.add("barred@x.example", "wales").id
    register.add("left@x.example", "national")
    register.remove("left@x.example", "wales")
    register.suppress("barred@x.example", "bounce")

    pairs = [(stays, "wales"), (left, "wales"), (left, "national"), (barred, "wales")]
    pairs += [(stays, "essex"), (987_654, "wales")]

    assert register.ineligible(iter(pairs)) == {
        (left, "wales"),
        (barred, "wales"),
        (stays, "essex"),
        (987_654, "wales"),
    }
    assert register.ineligible([]) == set()


def test_ineligible_in_bulk(register: Register, database: Database, clock: FixedClock) -> None:
    with in_turn(database) as connection:
        entries = [Entry(f"r{n}@x.example") for n in range(2500)]
        take_in(connection, entries, region="wales", source="test", now=clock.now())
    pairs = [(r.subscriber_id, "wales") for r in register.recipients()]
    assert len(pairs) == 2500
    assert register.ineligible([*pairs, (10**9, "wales")]) == {(10**9, "wales")}


def test_counts_by_region_and_state(register: Register) -> None:
    for address in ("a@x.example", "b@x.example", "c@x.example"):
        register.add(address, "wales")
    register.add("a@x.example", "national")
    register.remove("b@x.example", "wales")
    register.suppress("c@x.example", "bounce")

    counted = {each.region: each for each in register.counts()}

    assert list(counted) == list(REGIONS)
    wales, national = counted["wales"], counted["national"]
    assert (wales.confirmed, wales.unsubscribed, wales.suppressed, wales.recipients) == (2, 1, 1, 1)
    assert (national.confirmed, national.recipients, national.pending) == (1, 0, 0)


def test_a_list_the_publication_gave_up_counts_for_nothing(
    register: Register, database: Database, clock: FixedClock
) -> None:
    register.add("ada@x.example", "cardiff")
    fewer = {slug: each for slug, each in REGIONS.items() if slug != "cardiff"}
    later = Register(database, clock, fewer)
    assert chosen(later) == []
    assert [each.region for each in later.counts()] == list(fewer)
    assert later.remove("ada@x.example") == ("cardiff",)


def test_listing_by_region_state_and_limit(register: Register) -> None:
    for address in ("c@x.example", "a@x.example", "b@x.example"):
        register.add(address, "wales")
    register.add("d@x.example", "essex")
    register.remove("b@x.example")

    def addresses(*args: object) -> list[str]:
        return [s.address for s in register.list(*args)]  # type: ignore[arg-type]

    assert addresses() == ["a@x.example", "b@x.example", "c@x.example", "d@x.example"]
    assert addresses("wales", SubscriptionState.CONFIRMED) == ["a@x.example", "c@x.example"]
    assert addresses(None, SubscriptionState.UNSUBSCRIBED) == ["b@x.example"]
    assert addresses("wales", None, 1) == ["a@x.example"]
    with pytest.raises(NotFound):
        register.list("atlantis")
