"""Each fault a relay can show us, by name, and what becomes of the readers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.delivery.delivery import DeliveryState, Verdict
from mailer.delivery.sending import LOST_IN_A_ROW, SenderBusy
from mailer.errors import ConfigurationError
from tests.faults.world import ISSUE, make_relay, one_message

ANNA, BRYN, CORA = (f"{name}@reader.example" for name in ("anna", "bryn", "cora"))
S = DeliveryState


def later(mailer) -> None:
    mailer.clock.sleep(3600)


def test_greylisting_is_retried_with_the_same_sender_and_bytes(mailer, faulty) -> None:
    server = faulty(script={("rcpt", BRYN): ["450 4.2.0 come back later"]})
    report = mailer.sender(server.port).run(ISSUE)
    assert mailer.states() == {ANNA: S.ACCEPTED, BRYN: S.DEFERRED, CORA: S.ACCEPTED}
    assert report.left == 1
    assert report.next_due_at is not None
    assert timedelta(minutes=4) <= report.next_due_at - mailer.clock.now() <= timedelta(minutes=6)
    assert mailer.delivery(BRYN).reply.enhanced == "4.2.0"
    assert mailer.sender(server.port).run(ISSUE).counts == {}
    later(mailer)
    report = mailer.sender(server.port).run(ISSUE)
    assert report.is_finished
    assert server.copies() == {ANNA: 1, BRYN: 1, CORA: 1}
    token = mailer.delivery(BRYN).token
    assert [command for command in server.commands if token in command] == [
        f"MAIL FROM:<bounces+{token}@lantern.example>"
    ] * 2


def test_waiting_for_retries_sends_them_in_the_same_run(mailer, faulty) -> None:
    server = faulty(script={("rcpt", BRYN): ["450 4.2.0 later", "451 4.3.0 later still"]})
    report = mailer.sender(server.port).run(ISSUE, wait_s=3600)
    assert report.is_finished
    assert report.counts == {S.ACCEPTED: 3, S.DEFERRED: 2}


def test_what_is_deferred_too_long_expires(mailer, faulty) -> None:
    server = faulty(script={("rcpt", BRYN): ["450 4.2.0 later"] * 99})
    for _ in range(6):
        mailer.sender(server.port).run(ISSUE)
        later(mailer)
    assert mailer.states()[BRYN] is S.EXPIRED
    assert server.copies()[BRYN] == 0


@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
def test_a_refusal_is_final_and_the_readers_own(mailer, faulty, stage) -> None:
    server = faulty(script={(stage, BRYN): ["550 5.1.1 no such user"]})
    report = mailer.sender(server.port).run(ISSUE)
    assert mailer.states() == {ANNA: S.ACCEPTED, BRYN: S.REFUSED, CORA: S.ACCEPTED}
    assert report.is_finished
    assert report.trouble is None
    later(mailer)
    mailer.sender(server.port).run(ISSUE)
    assert server.copies()[BRYN] == 0
    assert server.connections == 1


@pytest.mark.parametrize("stage", ["rcpt", "data", "dot"])
def test_421_defers_and_the_next_message_has_a_new_connection(mailer, faulty, stage) -> None:
    server = faulty(script={(stage, BRYN): ["421 4.3.2 closing"]})
    report = mailer.sender(server.port).run(ISSUE)
    assert mailer.states() == {ANNA: S.ACCEPTED, BRYN: S.DEFERRED, CORA: S.ACCEPTED}
    assert server.connections == 2
    assert report.trouble is None
    later(mailer)
    assert mailer.sender(server.port).run(ISSUE).is_finished
    assert server.copies() == {ANNA: 1, BRYN: 1, CORA: 1}


@pytest.mark.parametrize("said", ["drop", "421 4.4.2 idle too long"])
def test_an_idle_connection_closed_by_the_server_is_replaced_at_once(mailer, faulty, said) -> None:
    server = faulty(script={("mail", ""): ["250 ok", said]})
    report = mailer.sender(server.port).run(ISSUE)
    assert report.counts == {S.ACCEPTED: 3}
    assert server.connections == 2


@pytest.mark.parametrize("fault", ["drop", "silence", "gibberish"])
def test_no_reply_after_the_dot_is_doubt_and_the_repeat_is_identical(mailer, faulty, fault) -> None:
    server = faulty(script={("dot", BRYN): [fault]})
    report = mailer.sender(server.port, timeout_s=0.3).run(ISSUE)
    assert mailer.states() == {ANNA: S.ACCEPTED, BRYN: S.IN_DOUBT, CORA: S.ACCEPTED}
    assert report.counts[S.IN_DOUBT] == 1
    assert server.connections == 2
    later(mailer)
    assert mailer.sender(server.port).run(ISSUE).is_finished
    first, second = (content for recipient, content in server.accepted if recipient == BRYN)
    assert first == second
    assert server.copies() == {ANNA: 1, BRYN: 2, CORA: 1}


@pytest.mark.parametrize(
    ("stage", "fault"),
    [("rcpt", "drop"), ("data", "drop"), ("content", "reset"), ("rcpt", "silence"),
     ("data", "nonsense"), ("data", "250 what data?")],
)  # fmt: skip
def test_a_connection_lost_before_the_dot_only_defers(mailer, faulty, stage, fault) -> None:
    server = faulty(script={(stage, BRYN): [fault]})
    mailer.sender(server.port, timeout_s=0.3).run(ISSUE)
    # A small message is in the socket's buffer before the reset is seen: then it is doubt.
    # Half an answer to a group may only mean that groups are disliked: then it is asked singly.
    may_be = {S.DEFERRED, S.IN_DOUBT if stage == "content" else S.ACCEPTED}
    assert mailer.states()[BRYN] in may_be
    copies = server.copies()
    assert (copies[ANNA], copies[CORA]) == (1, 1)
    later(mailer)
    assert mailer.sender(server.port).run(ISSUE).is_finished
    assert server.copies() == {ANNA: 1, BRYN: 1, CORA: 1}


def test_lost_in_the_middle_of_a_large_message_is_not_doubt(faulty) -> None:
    server = faulty(script={("content", ANNA): ["reset"]})
    content = b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 500_000
    outcome = one_message(server.port, ANNA, content, timeout_s=5)
    assert outcome.verdict is Verdict.DEFER
    assert not outcome.is_connection_usable


def test_a_dead_relay_keeps_every_delivery_and_says_so(mailer, nowhere) -> None:
    report = mailer.sender(nowhere).run(ISSUE)
    assert set(mailer.states().values()) == {S.PLANNED}
    assert report.trouble is not None
    assert not report.trouble.is_lasting
    assert f"127.0.0.1:{nowhere} cannot be reached: Connection refused" in report.sentence()
    assert "3 deliveries are kept" in report.sentence()


def test_a_relay_that_drops_everything_is_left_alone(mailer, faulty) -> None:
    mailer.add(*(f"r{number}@reader.example" for number in range(20)))
    server = faulty(script={("mail", ""): ["drop"] * 99})
    report = mailer.sender(server.port).run(ISSUE)
    assert report.trouble is not None
    assert list(mailer.states().values()).count(S.DEFERRED) == LOST_IN_A_ROW
    assert list(mailer.states().values()).count(S.PLANNED) == 23 - LOST_IN_A_ROW


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("mail", "530 5.7.0 authentication required"),
        ("mail", "550 5.1.8 sender domain does not exist"),
        ("mail", "552 5.3.4 message too large"),
        ("rcpt", "554 5.7.1 relay access denied"),
        ("dot", "550 5.7.26 unauthenticated mail from lantern.example"),
        ("dot", "421 4.7.28 too much mail"),
        ("dot", "550 5.7.515 access denied, domain does not meet the level"),
    ],
)
def test_a_reply_against_the_sender_pauses_and_refuses_nobody(mailer, faulty, stage, reply) -> None:
    server = faulty(script={(stage, who): [reply] * 9 for who in ("", ANNA, BRYN, CORA)})
    report = mailer.sender(server.port).run(ISSUE)
    states = list(mailer.states().values())
    assert S.REFUSED not in states
    # A pipelined connection may have had the next one's content asked for already.
    assert states in ([S.DEFERRED, S.PLANNED, S.PLANNED], [S.DEFERRED, S.DEFERRED, S.PLANNED])
    assert report.trouble is not None
    assert report.trouble.is_lasting
    assert reply.partition(" ")[0] in report.sentence()
    server.script.clear()
    # Mended: everybody gets it at once, nobody waits for a retry.
    assert mailer.sender(server.port).run(ISSUE).is_finished
    assert server.copies() == {ANNA: 1, BRYN: 1, CORA: 1}


def test_a_refused_login_pauses(mailer, faulty) -> None:
    server = faulty(
        extensions=("AUTH PLAIN",), script={("auth", ""): ["535 5.7.8 bad credentials"]}
    )
    sender = mailer.sender(server.port, username="lantern", password="wrong")
    report = sender.run(ISSUE)
    assert set(mailer.states().values()) == {S.PLANNED}
    assert report.trouble is not None
    assert report.trouble.is_lasting
    assert "refused the login: 535 5.7.8 bad credentials" in report.sentence()
    assert "wrong" not in report.sentence()
    assert sender.run(ISSUE).is_finished


def test_a_login_the_server_does_not_offer_pauses(mailer, faulty) -> None:
    server = faulty()
    report = mailer.sender(server.port, username="lantern", password="x").run(ISSUE)
    assert "takes no login" in report.sentence()
    assert server.accepted == []


@pytest.mark.parametrize("greeting", ["554 5.3.2 no service", "421 4.3.2 not now", "drop"])
def test_a_server_that_will_not_serve_us_gets_nothing(mailer, faulty, greeting) -> None:
    server = faulty(script={("greeting", ""): [greeting]})
    report = mailer.sender(server.port).run(ISSUE)
    assert set(mailer.states().values()) == {S.PLANNED}
    assert report.trouble is not None
    assert report.trouble.is_lasting == greeting.startswith("554")


def test_a_stripped_starttls_sends_nothing_in_the_clear(mailer, faulty) -> None:
    server = faulty()
    report = mailer.sender(server.port, tls="starttls").run(ISSUE)
    assert "does not offer STARTTLS; nothing was sent" in report.sentence()
    assert set(mailer.states().values()) == {S.PLANNED}
    assert not [item for item in server.commands if item.startswith(("MAIL", "AUTH"))]


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
@pytest.mark.parametrize("kind", ["wrong_name", "untrusted"])
def test_a_wrong_certificate_sends_nothing(mailer, faulty, certificates, mode, kind) -> None:
    server = faulty(tls=getattr(certificates, kind), is_implicit=mode == "implicit")
    report = mailer.sender(server.port, tls=mode, ca_file=str(certificates.ca_file)).run(ISSUE)
    assert "its certificate is not trusted" in report.sentence()
    assert report.trouble.is_lasting
    assert set(mailer.states().values()) == {S.PLANNED}
    assert not [item for item in server.commands if item.startswith("MAIL")]


@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_a_right_certificate_sends(mailer, faulty, certificates, mode) -> None:
    server = faulty(tls=certificates.good, is_implicit=mode == "implicit")
    report = mailer.sender(server.port, tls=mode, ca_file=str(certificates.ca_file)).run(ISSUE)
    assert report.is_finished, report.sentence()
    assert len(server.accepted) == 3


def test_implicit_tls_to_a_plain_port_is_explained(mailer, faulty, certificates) -> None:
    server = faulty()
    sender = mailer.sender(
        server.port, tls="implicit", ca_file=str(certificates.ca_file), timeout_s=1.0
    )
    assert "MAILER_RELAY_TLS" in sender.run(ISSUE).sentence()


def test_a_bad_ca_file_is_a_configuration_error(tmp_path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("nonsense")
    with pytest.raises(ConfigurationError, match="MAILER_RELAY_CA_FILE"):
        make_relay(1, tls="starttls", ca_file=str(path))


def test_a_message_above_the_relays_size_pauses(mailer, faulty) -> None:
    server = faulty(extensions=("SIZE 1000",))
    report = mailer.sender(server.port).run(ISSUE)
    assert "the relay takes 1000" in report.sentence()
    assert S.REFUSED not in mailer.states().values()
    assert not [item for item in server.commands if item.startswith("MAIL")]


def test_offered_extensions_are_used(mailer, faulty) -> None:
    server = faulty(extensions=("SIZE 1000000", "DSN"))
    mailer.sender(server.port).run(ISSUE)
    token = mailer.delivery(ANNA).token
    mail = next(item for item in server.commands if token in item)
    assert " SIZE=" in mail
    assert mail.endswith(f" RET=HDRS ENVID={token}")


def test_smtputf8_is_refused_for_the_one_reader_who_needs_it(mailer, faulty) -> None:
    mailer.add("zoë@reader.example")
    server = faulty()
    report = mailer.sender(server.port).run(ISSUE)
    assert report.counts == {S.ACCEPTED: 3, S.REFUSED: 1}
    assert "SMTPUTF8" in mailer.delivery("zoë@reader.example").reply.text


def test_who_left_or_was_suppressed_since_the_plan_is_skipped(mailer, faulty) -> None:
    mailer.register.remove(ANNA)
    mailer.register.suppress(BRYN, "complaint", "pressed the button")
    server = faulty()
    report = mailer.sender(server.port).run(ISSUE)
    assert mailer.states() == {ANNA: S.SKIPPED, BRYN: S.SKIPPED, CORA: S.ACCEPTED}
    assert report.counts == {S.SKIPPED: 2, S.ACCEPTED: 1}
    assert server.copies() == {CORA: 1}


def test_who_left_while_deferred_is_skipped(mailer, faulty) -> None:
    server = faulty(script={("rcpt", BRYN): ["450 4.2.0 later"]})
    mailer.sender(server.port).run(ISSUE)
    mailer.register.remove(BRYN)
    later(mailer)
    assert mailer.sender(server.port).run(ISSUE).is_finished
    assert mailer.states()[BRYN] is S.SKIPPED
    assert server.copies()[BRYN] == 0


def test_a_second_sender_is_turned_away(mailer, faulty) -> None:
    server = faulty()
    seen = []

    def progress(_done: int, _total: int) -> None:
        with pytest.raises(SenderBusy):
            mailer.sender(server.port).run(ISSUE)
        seen.append(1)

    assert mailer.sender(server.port).run(ISSUE, progress=progress).is_finished
    assert seen


def test_asked_to_stop_it_finishes_what_is_on_the_wire_and_repeats_nothing(mailer, faulty) -> None:
    mailer.add(*(f"r{number}@reader.example" for number in range(300)))
    server = faulty()
    report = mailer.sender(server.port).run(ISSUE, should_stop=lambda: len(server.taken) >= 5)
    assert report.was_stopped
    assert f"{report.left} deliveries are kept" in report.sentence()
    states = list(mailer.states().values())
    assert set(states) == {S.ACCEPTED, S.PLANNED}
    assert states.count(S.ACCEPTED) == len(server.taken) == 303 - report.left
    report = mailer.sender(server.port).run(ISSUE)
    assert report.is_finished
    assert report.recovery.in_doubt == 0
    assert set(server.copies().values()) == {1}
    assert len(server.taken) == 303
