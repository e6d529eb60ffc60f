"""Keys of forms, buckets, networks and places; and a hundred thousand guesses that open nothing."""

from __future__ import annotations

import random
import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.confirmations import PURPOSE, token_of
from mailer.audience.places import propose_region
from mailer.audience.tokens import LONGEST_TOKEN, Tokens
from mailer.publication import Region
from mailer.web.buckets import Buckets, network_of
from mailer.web.formkeys import LIFETIME, FormKeys, KeyState
from mailer.web.reader_pages import masked

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
TOKENS = Tokens("a secret of more than thirty-two characters")
KEYS = FormKeys(TOKENS)
URL_SAFE = string.ascii_letters + string.digits + "-_"


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(0), KeyState.QUICK),
        (timedelta(seconds=1.9), KeyState.QUICK),
        (timedelta(seconds=2), KeyState.GOOD),
        (LIFETIME, KeyState.GOOD),
        (LIFETIME + timedelta(seconds=1), KeyState.STALE),
        (-timedelta(seconds=1), KeyState.QUICK),
    ],
)
def test_a_key_has_its_time(age: timedelta, state: KeyState) -> None:
    key = KEYS.make("join", NOW)
    assert KEYS.check(key, "join", NOW + age, shortest=timedelta(seconds=2)) is state


def test_a_key_is_for_one_purpose() -> None:
    key = KEYS.make("leave abc", NOW)
    assert KEYS.check(key, "leave abc", NOW) is KeyState.GOOD
    for other in ("leave abd", "join", "", "preferences abc"):
        assert KEYS.check(key, other, NOW) is KeyState.FORGED
    assert KEYS.make("join", NOW) != KEYS.make("join", NOW)
    assert len(key) <= LONGEST_TOKEN


def mutations(token: str, count: int, chance: random.Random) -> set[str]:
    """Return that many others: changed, cut, lengthened, swapped, made up."""
    made: set[str] = set()
    while len(made) < count:
        text = list(token)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text))
            match chance.randrange(5):
                case 0:
                    text[at] = chance.choice(URL_SAFE)
                case 1:
                    text.insert(at, chance.choice(URL_SAFE))
                case 2 if len(text) > 2:
                    del text[at]
                case 3:
                    text[at], text[0] = text[0], text[at]
                case _:
                    text = [chance.choice(URL_SAFE) for _ in range(len(token))]
        made.add("".join(text))
        made.discard(token)
    return made


def test_a_hundred_thousand_mutated_tokens_open_nothing() -> None:
    chance = random.Random(4)
    confirm = token_of(TOKENS, "00112233445566778899aabbccddeeff")
    leave = TOKENS.unsubscribe(12_345, "wales")
    assert TOKENS.verify(PURPOSE, confirm) is not None
    assert TOKENS.read_unsubscribe(leave, ["wales"]) is not None
    tried = 0
    for token in (confirm, leave):
        for guess in mutations(token, 50_000, chance):
            tried += 1
            assert TOKENS.verify(PURPOSE, guess) is None
            assert TOKENS.read_unsubscribe(guess, ["wales"]) is None
    assert tried == 100_000
    # Nor does one door's key open another's.
    assert TOKENS.verify(PURPOSE, leave) is None
    assert TOKENS.read_unsubscribe(confirm, ["wales"]) is None


def test_a_bucket_holds_an_hour_and_refills() -> None:
    buckets = Buckets(3)
    assert [buckets.take("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b", 0.0)
    assert not buckets.take("a", 1199.0)
    assert buckets.take("a", 2400.0)
    assert all(Buckets(0).take("a", 0.0) for _ in range(1000))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 600)), max_size=200))
def test_no_key_takes_more_than_its_hour_and_what_refilled(
    waits: list[tuple[str, float]],
) -> None:
    buckets, now_s = Buckets(5), 0.0
    taken: dict[str, int] = {}
    for key, wait_s in waits:
        now_s += wait_s
        taken[key] = taken.get(key, 0) + buckets.take(key, now_s)
    assert all(count <= 5 + now_s * 5 / 3600 + 1e-6 for count in taken.values())


def test_buckets_stay_few() -> None:
    buckets = Buckets(1, most_keys=100)
    for number in range(10_000):
        buckets.take(str(number), 0.0)
    assert len(buckets) == 100


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_network_is_one_address_or_one_household(host: str, network: str) -> None:
    assert network_of(host) == network


def region(slug: str, *places: str, postcodes: tuple[str, ...] = ()) -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        time_zone="Europe/London",
        places=places,
        postcodes=postcodes,
    )


REGIONS = (
    region("national"),
    region("wales", "Cardiff", "Merthyr Tydfil", postcodes=("CF", "SA")),
    region("sheffield", "Doncaster", postcodes=("S", "DN")),
    region("south-london", "Brixton", postcodes=("SE", "SW")),
    region("tottenham", "Tottenham", postcodes=("N17",)),
    region("north-london", "Tottenhall", "Reading Room", postcodes=("N",)),
)


@pytest.mark.parametrize(
    ("place", "slug"),
    [
        ("Cardiff", "wales"),
        ("  CARDIFF ", "wales"),
        ("Merthyr-Tydfil", "wales"),
        ("wales", "wales"),
        ("Cardif", "wales"),
        ("Cärdiff", "wales"),
        ("CF10 1AA", "wales"),
        ("cf101aa", "wales"),
        ("CF10", "wales"),
        ("S1 2HH", "sheffield"),
        ("SE5 8AA", "south-london"),
        ("SW1A 1AA", "south-london"),
        ("N17 6AB", "tottenham"),
        ("N1 6AB", "north-london"),
        ("ZE1 0AA", ""),
        ("Atlantis", ""),
        ("Tottenhan", "tottenham"),
        ("Tottenhaml", ""),
        ("", ""),
        ("x" * 10_000, ""),
        ("'; DROP TABLE", ""),
    ],
)
def test_a_place_means_one_region_or_none(place: str, slug: str) -> None:
    assert propose_region(place, REGIONS) == slug


@given(st.text(max_size=200))
def test_whatever_is_typed_a_place_is_a_region_or_none(place: str) -> None:
    assert propose_region(place, REGIONS) in {"", *(each.slug for each in REGIONS)}


def test_an_address_is_shown_so_that_its_owner_knows_it() -> None:
    assert masked("ada.lovelace@reader.example") == "a…@reader.example"
