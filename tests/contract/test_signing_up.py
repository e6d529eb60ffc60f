"""Sign-ups, confirmations and what readers choose, on both databases."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from sqlalchemy import select

from mailer.audience.basis import LawfulBasis
from mailer.audience.confirmations import Confirmations, TokenState, hash_of
from mailer.audience.erasure import Pepper, erase_person, erased_among, lift_erasure
from mailer.audience.outbox import LEASE, Claimed, Outbox, Settled
from mailer.audience.preferences import LEAVING, ONE_CLICK, Preferences
from mailer.audience.register import Register
from mailer.audience.roster import Rosters
from mailer.audience.roster_export import export_roster
from mailer.audience.signups import SignUp, SignUps
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.tokens import Tokens
from mailer.clock import FixedClock
from mailer.errors import InvalidInput
from mailer.policies import AudiencePolicy
from mailer.publication import Region
from mailer.storage import schema
from mailer.storage.database import Database

SECRET = "a secret of more than thirty-two characters"
DAY = timedelta(days=1)
POLICY = AudiencePolicy(keeps_network_address=True)
_S = SubscriptionState


def region(slug: str) -> Region:
    return Region(
        slug=slug,
        name=slug.title(),
        list_id=f"{slug}.lantern.example",
        reply_to=f"{slug}@lantern.example",
        time_zone="Europe/London",
    )


REGIONS = {slug: region(slug) for slug in ("national", "wales", "essex")}


class World:
    """Every service on one database, and the few steps that tests take again and again."""

    def __init__(
        self,
        database: Database,
        clock: FixedClock,
        policy: AudiencePolicy,
        regions: dict[str, Region] = REGIONS,
    ) -> None:
        self.database, self.clock = database, clock
        tokens = Tokens(SECRET)
        self.pepper = Pepper([SECRET])
        self.register = Register(database, clock, regions)
        self.sign_ups = SignUps(
            database,
            clock,
            tokens=tokens,
            regions=regions,
            policy=policy,
            erased=partial(erased_among, pepper=self.pepper),
        )
        self.confirmations = Confirmations(
            database,
            clock,
            tokens=tokens,
            policy=policy,
            lift=partial(lift_erasure, pepper=self.pepper),
        )
        self.preferences = Preferences(database, clock, regions=regions, policy=policy)
        self.outbox = Outbox(database, clock, tokens)

    def post(self, address: str, *regions: str, **given: str) -> None:
        post = SignUp(address, regions or ("wales",), self.clock.now(), **given)
        self.sign_ups.keep([post])
        self.sign_ups.work_off()

    def waiting(self) -> int:
        """Return how many confirmations are still to be mailed, now or later."""
        table = schema.confirmations
        with self.database.read() as connection:
            return len(connection.execute(select(table).where(table.c.due_at.is_not(None))).all())

    def mail(self) -> list[Claimed]:
        """Send everything that is due; the relay takes it all."""
        sent: list[Claimed] = []
        claimed = self.outbox.step()
        while claimed is not None:
            sent.append(claimed)
            claimed = self.outbox.step(Settled(claimed.token_hash, is_sent=True))
        return sent

    def join(self, address: str, *regions: str) -> int:
        """Sign up and confirm; return the subscriber's number."""
        self.post(address, *regions)
        (claimed,) = self.mail()
        question = self.confirmations.confirm(claimed.token, claimed.regions)
        assert question is not None
        return question.subscriber_id

    def states(self, address: str) -> dict[str, SubscriptionState]:
        person = self.register.show(address).subscriber
        assert person is not None
        return {link.region: link.state for link in person.subscriptions}

    def steps(self, address: str) -> list[tuple[str, str, str]]:
        return [(e.region, e.step, e.state) for e in self.register.show(address).history]

    def recipients(self) -> list[str]:
        return [recipient.address for recipient in self.register.recipients()]


@pytest.fixture
def world(database: Database, clock: FixedClock) -> World:
    return World(database, clock, POLICY)


def test_a_sign_up_is_pending_until_the_link_is_used(world: World) -> None:
    world.post("ada@x.example", "wales", "essex", name="Ada", form_version="v1", came_from="::1")
    assert world.states("ada@x.example") == {"wales": _S.PENDING, "essex": _S.PENDING}
    assert world.recipients() == []

    (claimed,) = world.mail()
    assert (claimed.address, claimed.regions) == ("ada@x.example", ("wales", "essex"))
    question = world.confirmations.confirm(claimed.token, {"wales"}, came_from="192.0.2.7")
    assert question is not None
    assert question.confirmed == ("wales",)
    assert world.states("ada@x.example") == {"wales": _S.CONFIRMED, "essex": _S.PENDING}
    assert world.recipients() == ["ada@x.example"]


def test_the_record_says_when_how_under_which_text_and_from_where(world: World) -> None:
    world.post("ada@x.example", "wales", source="page", form_version="v1", came_from="192.0.2.7")
    (claimed,) = world.mail()
    world.clock.sleep(60)
    world.confirmations.confirm(claimed.token, {"wales"}, came_from="192.0.2.8")
    facts = schema.consent_events
    with world.database.read() as connection:
        rows = connection.execute(select(facts).order_by(facts.c.id)).all()
    assert [(r.step, r.source, r.form_version, r.came_from) for r in rows] == [
        ("sign_up", "page", "v1", "192.0.2.7"),
        ("confirm", "confirmation", "v1", "192.0.2.8"),
    ]
    assert rows[1].at - rows[0].at == timedelta(seconds=60)


def test_the_network_address_is_kept_only_where_the_publication_says_so(
    database: Database, clock: FixedClock
) -> None:
    world = World(database, clock, AudiencePolicy())
    world.post("ada@x.example", came_from="192.0.2.7")
    (claimed,) = world.mail()
    world.confirmations.confirm(claimed.token, {"wales"}, came_from="192.0.2.7")
    with database.read() as connection:
        kept = connection.execute(select(schema.consent_events.c.came_from)).scalars().all()
    assert kept == ["", ""]


def test_the_database_holds_no_link(world: World) -> None:
    world.post("ada@x.example")
    (claimed,) = world.mail()
    with world.database.read() as connection:
        row = connection.execute(select(schema.confirmations)).one()
    assert row.token_hash == hash_of(claimed.token)
    assert claimed.token not in [str(value) for value in row]
    # What is kept is not enough: without the secret, the seed makes no link.
    assert (
        Tokens("another secret of thirty-two characters").verify("confirm", claimed.token) is None
    )


def test_a_link_works_once_and_a_second_click_is_no_error(world: World) -> None:
    world.post("ada@x.example")
    (claimed,) = world.mail()
    first = world.confirmations.confirm(claimed.token, {"wales"})
    steps = world.steps("ada@x.example")
    again = world.confirmations.confirm(claimed.token, {"wales"})
    assert first is not None
    assert again is not None
    assert (first.state, again.state) == (TokenState.OPEN, TokenState.USED)
    assert again.confirmed == ()
    assert world.steps("ada@x.example") == steps


def test_a_used_link_does_not_bring_back_who_left(world: World) -> None:
    world.post("ada@x.example")
    (claimed,) = world.mail()
    question = world.confirmations.confirm(claimed.token, {"wales"})
    assert question is not None
    world.clock.sleep(5)
    world.preferences.leave(question.subscriber_id)
    world.confirmations.confirm(claimed.token, {"wales"})
    assert world.states("ada@x.example") == {"wales": _S.UNSUBSCRIBED}


def test_an_old_open_link_does_not_undo_leaving_and_a_new_one_does(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    world.clock.sleep(2 * 86400)
    world.post("ada@x.example", "wales")
    (old,) = world.mail()
    world.clock.sleep(60)
    world.preferences.leave(number)
    question = world.confirmations.confirm(old.token, {"wales"})
    assert question is not None
    assert question.confirmed == ()
    assert world.states("ada@x.example") == {"wales": _S.UNSUBSCRIBED}

    world.clock.sleep(2 * 86400)
    world.post("ada@x.example", "wales")
    assert world.states("ada@x.example") == {"wales": _S.UNSUBSCRIBED}
    (fresh,) = world.mail()
    world.confirmations.confirm(fresh.token, {"wales"})
    assert world.states("ada@x.example") == {"wales": _S.CONFIRMED}
    assert world.steps("ada@x.example")[-1] == ("wales", "rejoin", "confirmed")


def test_a_link_expires(world: World) -> None:
    world.post("ada@x.example")
    (claimed,) = world.mail()
    world.clock.sleep(7 * 86400)
    question = world.confirmations.confirm(claimed.token, {"wales"})
    assert question is not None
    assert question.state is TokenState.EXPIRED
    assert world.states("ada@x.example") == {"wales": _S.PENDING}


def test_a_strangers_typing_cannot_make_who_left_importable(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    world.preferences.leave(number)
    world.clock.sleep(2 * 86400)
    world.post("ada@x.example", "wales")
    rosters = Rosters(world.database, world.clock, REGIONS)
    rosters.take(b"email\nada@x.example\n", "wales", LawfulBasis.CONSENT)
    assert world.recipients() == []


def test_a_strangers_typing_changes_no_name(world: World) -> None:
    world.post("ada@x.example", name="Ada")
    world.post("ada@x.example", name="Ada L.")
    assert world.register.show("ada@x.example").subscriber.name == "Ada L."  # type: ignore[union-attr]
    (claimed,) = world.mail()
    world.confirmations.confirm(claimed.token, {"wales"})
    world.post("ada@x.example", name="Mallory")
    assert world.register.show("ada@x.example").subscriber.name == "Ada L."  # type: ignore[union-attr]


def test_one_confirmation_a_day_whatever_is_posted(world: World) -> None:
    sent = []
    for hour in range(24 * 6):
        for slug in REGIONS:
            world.post("ada@x.example", slug)
        for claimed in world.mail():
            sent.append(world.clock.now())
            if hour % 5 == 0:
                world.confirmations.confirm(claimed.token, claimed.regions)
        world.clock.sleep(3600)
    assert 2 <= len(sent) <= 6
    assert all(b - a >= DAY for a, b in pairwise(sent))


def test_a_second_wish_joins_the_question_that_is_open(world: World) -> None:
    world.post("ada@x.example", "wales")
    (claimed,) = world.mail()
    world.clock.sleep(3600)
    world.post("ada@x.example", "essex")
    assert world.mail() == []
    question = world.confirmations.look(claimed.token)
    assert question is not None
    assert question.regions == ("wales", "essex")


def test_a_wish_after_an_answer_waits_for_its_day_and_is_not_lost(world: World) -> None:
    world.join("ada@x.example", "wales")
    world.clock.sleep(3600)
    world.post("ada@x.example", "essex")
    world.post("ada@x.example", "national")
    assert world.mail() == []
    world.clock.sleep(24 * 3600)
    (claimed,) = world.mail()
    assert claimed.regions == ("essex", "national")


def test_many_of_one_address_in_one_batch_are_one_question(world: World) -> None:
    posts = [SignUp("ada@x.example", (slug,), world.clock.now()) for slug in REGIONS] * 20
    world.sign_ups.keep(posts)
    assert world.sign_ups.work_off() == 60
    (claimed,) = world.mail()
    assert set(claimed.regions) == set(REGIONS)
    with world.database.read() as connection:
        assert connection.execute(select(schema.sign_ups)).all() == []


@pytest.mark.parametrize("reason", ["complaint", "bounce", "manual"])
def test_who_is_suppressed_is_mailed_nothing(world: World, reason: str) -> None:
    world.register.suppress("ada@x.example", reason)
    world.post("ada@x.example")
    assert world.mail() == []
    assert world.register.show("ada@x.example").subscriber is None


def test_who_was_suppressed_since_is_mailed_nothing(world: World) -> None:
    world.post("ada@x.example")
    world.register.suppress("ada@x.example", "complaint")
    assert world.mail() == []
    assert world.waiting() == 0


def erase(world: World, address: str) -> None:
    with world.database.write() as connection:
        erase_person(connection, address, world.pepper, reason="asked", now=world.clock.now())


def test_who_was_erased_comes_back_by_confirming_and_by_nothing_else(world: World) -> None:
    world.join("ada@x.example")
    erase(world, "ada@x.example")
    world.post("ada@x.example")
    (claimed,) = world.mail()
    with world.database.read() as connection:
        assert erased_among(connection, ["ada@x.example"], world.pepper)
    world.confirmations.confirm(claimed.token, {"wales"})
    with world.database.read() as connection:
        assert not erased_among(connection, ["ada@x.example"], world.pepper)
    assert world.recipients() == ["ada@x.example"]


def test_who_was_erased_is_asked_once_a_month_at_most(world: World) -> None:
    erase(world, "ada@x.example")
    sent = []
    for _ in range(90):
        world.post("ada@x.example")
        sent += [world.clock.now() for _ in world.mail()]
        world.clock.sleep(86400)
    assert 1 <= len(sent) <= 3
    assert all(b - a >= 30 * DAY for a, b in pairwise(sent))


def test_a_link_of_who_was_erased_is_nobodys(world: World) -> None:
    world.post("ada@x.example")
    (claimed,) = world.mail()
    erase(world, "ada@x.example")
    assert world.confirmations.look(claimed.token) is None
    assert world.confirmations.confirm(claimed.token, {"wales"}) is None


def test_a_claim_is_one_workers_until_it_lapses(world: World) -> None:
    world.post("ada@x.example")
    first = world.outbox.step()
    assert first is not None
    assert world.outbox.step() is None
    world.clock.sleep(LEASE.total_seconds())
    again = world.outbox.step()
    assert again is not None
    # What a kill repeats is the same mail.
    assert (again.token, again.seed, again.dated_at) == (first.token, first.seed, first.dated_at)
    assert again.attempts == 2


def test_a_post_for_a_region_unknown_here_is_left_to_who_knows_it(world: World) -> None:
    """A process may have read a newer publication than another on the same tables."""
    ada = SignUp("ada@x.example", ("skye", "wales"), world.clock.now())
    ben = SignUp("ben@x.example", ("wales",), world.clock.now())
    world.sign_ups.keep([ada, ben])
    # What is left does not bar what comes after it, however little is taken up at once.
    assert [world.sign_ups.work_off(limit=1) for _number in range(2)] == [1, 0]
    assert [each.address for each in world.mail()] == ["ben@x.example"]
    newer = World(world.database, world.clock, POLICY, regions={**REGIONS, "skye": region("skye")})
    assert newer.sign_ups.work_off() == 1
    (claimed,) = newer.mail()
    assert (claimed.address, claimed.regions) == ("ada@x.example", ("skye", "wales"))


def test_a_post_for_a_region_nobody_knows_ends_with_the_life_of_a_link(world: World) -> None:
    for address, regions in (("ada@x.example", ("skye", "wales")), ("ben@x.example", ("skye",))):
        world.post(address, *regions)
    world.clock.sleep(POLICY.confirm_days * DAY.total_seconds() - 1)
    assert world.sign_ups.work_off() == 0
    world.clock.sleep(1)
    assert world.sign_ups.work_off() == 2
    assert [(each.address, each.regions) for each in world.mail()] == [
        ("ada@x.example", ("wales",))
    ]
    # Nothing was asked about nothing, so another try is answered at once.
    world.post("ben@x.example", "wales")
    assert [each.address for each in world.mail()] == ["ben@x.example"]


def test_a_deferred_one_is_tried_again_and_a_lapsed_one_given_up(world: World) -> None:
    world.post("ada@x.example")
    claimed = world.outbox.step()
    assert claimed is not None
    later = world.clock.now() + timedelta(minutes=5)
    assert world.outbox.step(Settled(claimed.token_hash, again_at=later)) is None
    assert not world.outbox.is_due()
    world.clock.sleep(300)
    assert world.outbox.is_due()
    world.clock.sleep(8 * 86400)
    assert world.outbox.step() is None
    assert world.waiting() == 0


def test_a_changed_secret_makes_a_new_link_for_what_was_not_sent(
    world: World, database: Database, clock: FixedClock
) -> None:
    world.post("ada@x.example")
    fresh = Tokens("another secret of thirty-two characters", retired=[SECRET])
    claimed = Outbox(database, clock, fresh).step()
    assert claimed is not None
    answer = Confirmations(
        database, clock, tokens=fresh, policy=POLICY, lift=lambda *_: None
    ).confirm(claimed.token, {"wales"})
    assert answer is not None
    assert answer.confirmed == ("wales",)


def test_preferences_join_leave_rename_and_come_back(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    reader = world.preferences.choose(number, regions={"essex"}, name="  Ada\u200b Lovelace ")
    assert reader is not None
    assert (reader.name, reader.regions) == ("Ada Lovelace", ("essex",))
    assert world.states("ada@x.example") == {"wales": _S.UNSUBSCRIBED, "essex": _S.CONFIRMED}
    world.preferences.choose(number, regions={"essex", "wales"}, name="")
    assert world.steps("ada@x.example")[-3:] == [
        ("wales", "unsubscribe", "unsubscribed"),
        ("essex", "choose", "confirmed"),
        ("wales", "rejoin", "confirmed"),
    ]
    with pytest.raises(InvalidInput):
        world.preferences.choose(number, regions={"wales"}, name="a\x00b")


def test_a_pause_is_kept_when_planning_and_when_claiming(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    reader = world.preferences.choose(number, regions={"wales"}, name="", pause_weeks=3)
    assert reader is not None
    assert reader.paused_until == world.clock.now() + timedelta(weeks=3)
    assert world.recipients() == []
    assert world.register.ineligible([(number, "wales")]) == {(number, "wales")}
    assert {each.region: each.recipients for each in world.register.counts()}["wales"] == 0
    world.clock.sleep(timedelta(weeks=3).total_seconds())
    assert world.recipients() == ["ada@x.example"]
    assert world.register.ineligible([(number, "wales")]) == set()


def test_a_pause_ends_early_and_is_never_longer_than_the_policy(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    reader = world.preferences.choose(number, regions={"wales"}, name="", pause_weeks=500)
    assert reader is not None
    assert reader.paused_until == world.clock.now() + timedelta(weeks=12)
    reader = world.preferences.choose(number, regions={"wales"}, name="", pause_weeks=0)
    assert reader is not None
    assert reader.paused_until is None
    assert [step for _, step, _ in world.steps("ada@x.example")][-2:] == ["pause", "resume"]


def test_leaving_is_idempotent_and_means_every_list(world: World) -> None:
    number = world.join("ada@x.example", "wales", "national")
    assert set(world.preferences.leave(number)) == {"wales", "national"}
    steps = world.steps("ada@x.example")
    assert world.preferences.leave(number) == ()
    assert world.steps("ada@x.example") == steps
    assert world.recipients() == []
    assert world.preferences.leave(10**9) == ()


def test_leaving_one_list_keeps_the_other(world: World) -> None:
    number = world.join("ada@x.example", "wales", "national")
    assert world.preferences.leave(number, region="wales", source=LEAVING) == ("wales",)
    assert world.states("ada@x.example") == {"wales": _S.UNSUBSCRIBED, "national": _S.CONFIRMED}


def test_undo_brings_back_what_was_confirmed_within_a_day(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    world.clock.sleep(2 * 86400)
    world.post("ada@x.example", "essex")
    world.preferences.leave(number, source=ONE_CLICK)
    assert world.preferences.undo(number) == ("wales",)
    assert world.states("ada@x.example") == {"wales": _S.CONFIRMED, "essex": _S.UNSUBSCRIBED}
    assert world.preferences.undo(number) == ()
    world.preferences.leave(number, source=ONE_CLICK)
    world.clock.sleep(86400)
    assert world.preferences.undo(number) == ()


def test_undo_takes_back_one_leave_and_no_choice_before_it(world: World) -> None:
    number = world.join("ada@x.example", "wales", "essex", "national")
    world.preferences.choose(number, regions={"national"}, name="")
    world.preferences.leave(number, source=LEAVING)
    assert world.preferences.undo(number) == ("national",)
    assert world.states("ada@x.example") == {
        "wales": _S.UNSUBSCRIBED,
        "essex": _S.UNSUBSCRIBED,
        "national": _S.CONFIRMED,
    }
    assert [step for step in world.steps("ada@x.example") if step[1] == "rejoin"] == [
        ("national", "rejoin", "confirmed")
    ]


@pytest.mark.parametrize("source", [LEAVING, ONE_CLICK])
def test_undo_after_leaving_one_list_and_then_all(world: World, source: str) -> None:
    number = world.join("ada@x.example", "wales", "essex", "national")
    world.preferences.leave(number, region="wales", source=LEAVING)
    world.clock.sleep(1)
    world.preferences.leave(number, source=source)
    # A mail program that posts again leaves nothing more, and takes nothing from the slip.
    assert world.preferences.leave(number, source=ONE_CLICK) == ()
    assert set(world.preferences.undo(number)) == {"essex", "national"}
    assert world.states("ada@x.example")["wales"] is _S.UNSUBSCRIBED
    assert world.preferences.undo(number) == ()


def test_a_choice_after_leaving_stands_against_an_old_undo(world: World) -> None:
    number = world.join("ada@x.example", "wales", "essex", "national")
    world.preferences.leave(number, source=LEAVING)
    world.preferences.choose(number, regions={"wales", "essex"}, name="")
    world.preferences.choose(number, regions={"essex"}, name="")
    assert world.preferences.undo(number) == ()
    assert world.preferences.look(number).regions == ("essex",)  # type: ignore[union-attr]


def test_undo_takes_back_no_operators_removal(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    world.register.remove("ada@x.example")
    assert world.preferences.undo(number) == ()
    assert world.preferences.undo(10**9) == ()


def test_a_reason_stands_with_the_leave(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    assert not world.preferences.give_reason(number, "early")
    world.preferences.leave(number)
    assert world.preferences.give_reason(number, "too\nmuch " + "x" * 2000)
    facts = schema.consent_events
    with world.database.read() as connection:
        notes = connection.execute(select(facts.c.note).where(facts.c.note != "")).scalars().all()
    assert len(notes) == 1
    assert notes[0].startswith("too much x")
    assert len(notes[0]) == 1000


def test_a_suppressed_readers_page_says_so_and_lifts_nothing(world: World) -> None:
    number = world.join("ada@x.example", "wales")
    world.register.suppress("ada@x.example", "complaint")
    reader = world.preferences.choose(number, regions={"wales", "essex"}, name="Ada")
    assert reader is not None
    assert reader.suppressed == "complaint"
    assert world.recipients() == []
    assert world.preferences.look(10**9) is None
    assert world.preferences.choose(10**9, regions=(), name="") is None


def statements(world: World, act: Callable[[], object]) -> list[str]:
    """Return the statements that an act makes the database run."""
    from sqlalchemy import event

    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)
    return seen


def test_what_is_done_before_the_answer_is_the_same_for_every_address(world: World) -> None:
    """The work is compared, not the clock: the same statements with as many values each."""
    left = world.join("left@x.example")
    world.preferences.leave(left)
    world.join("confirmed@x.example")
    world.post("pending@x.example")
    world.register.suppress("suppressed@x.example", "complaint")
    erase(world, "erased@x.example")
    work = {
        name: statements(
            world,
            lambda name=name: world.sign_ups.keep(  # type: ignore[misc]
                [SignUp(f"{name}@x.example", ("wales",), world.clock.now())]
            ),
        )
        for name in ("unknown", "pending", "confirmed", "left", "suppressed", "erased")
    }
    assert len(work["unknown"]) >= 1
    assert all(each == work["unknown"] for each in work.values())


def test_nobody_but_the_erased_names_them_or_has_them_exported(world: World) -> None:
    world.join("ada@x.example")
    with world.database.write() as connection:
        erase_person(
            connection, "ada@x.example", world.pepper, reason="asked", now=world.clock.now()
        )
    world.clock.sleep(86400)
    world.post("ada@x.example", name="A Stranger's Joke")
    world.post("ada@x.example", name="Another")
    world.post("bob@x.example", name="Bob")

    def exported() -> str:
        out = io.StringIO(newline="")
        erased = partial(erased_among, pepper=world.pepper)
        export_roster(world.database, "wales", out, state=None, erased=erased)
        return out.getvalue()

    person = world.register.show("ada@x.example").subscriber
    assert person is not None
    assert person.name == ""
    assert "bob@x.example,Bob,pending" in exported()
    assert "ada@x.example" not in exported()

    (claimed,) = [each for each in world.mail() if each.address == "ada@x.example"]
    assert world.confirmations.confirm(claimed.token, {"wales"}) is not None
    assert "ada@x.example,,confirmed" in exported()


def test_a_reason_is_kept_without_what_cannot_be_seen(world: World) -> None:
    number = world.join("ada@x.example")
    world.preferences.leave(number)
    assert world.preferences.give_reason(number, "too\x00 much\n\x1bmail")
    facts = schema.consent_events
    with world.database.read() as connection:
        notes = connection.execute(select(facts.c.note).where(facts.c.step == "unsubscribe"))
        assert notes.scalars().all() == ["too much mail"]
    assert not world.preferences.give_reason(number, "\x00")
