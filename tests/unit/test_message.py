"""A message: what stands in it, how it is encoded, and that it never changes."""

from __future__ import annotations

import quopri
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.delivery.delivery import Delivery, DeliveryState
from mailer.delivery.headers import mailbox, structured
from mailer.delivery.message import Letterhead, compile_edition
from mailer.delivery.quoting import encode_literal
from mailer.editions.edition import Edition, Slot, merge_html, merge_text
from mailer.errors import InvalidInput, RenderFailed

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
HEAD = Letterhead(
    from_name="The Lantern",
    from_address="briefing@lantern.example",
    reply_to="wales@lantern.example",
    list_id="wales.lantern.example",
    list_name="The Lantern, Wales",
    owner="wales@lantern.example",
    archive_url="https://lantern.example/",
    bounce_domain="bounces.lantern.example",
    sender_id="the-lantern",
    postal_address="Lantern Press Co-operative, 12 Harbour Street, Exbridge EX0 0XX",
)
FOOTER = HEAD.postal_address
EDITION = Edition(
    issue_id="2026-11-30",
    region="wales",
    language="en",
    subject="Crème brûlée in Aberystwyth, and the week’s news",
    preheader="A short week.",
    html=(
        "<!doctype html><html><body><p>Dear ",
        Slot("name"),
        f',</p>\n<p>{"A long line of text. " * 40}</p><p>{FOOTER}</p><a href="',
        Slot("unsubscribe_url"),
        '">Leave</a></body></html>\n',
    ),
    text=(
        "Dear ",
        Slot("name"),
        ",\n\nThe week — in brief.\n.\nFrom here on.   \n",
        FOOTER.replace(", ", ",\n"),
        "\nLeave: ",
        Slot("unsubscribe_url"),
    ),
    article_ids=("a",),
)
DELIVERY = Delivery(
    id=1,
    issue_id="2026-11-30",
    region="wales",
    subscriber_id=7,
    address="nora@reader.example",
    name="Nora Whitfield",
    token="abcdefghijklmnopqrstuvwxyz",
    dated_at=AT,
    due_at=AT,
    state=DeliveryState.CLAIMED,
)
URL = "https://mail.lantern.example/u/AbC-_123"
FIELDS = {"name": "Nora & Co <x>", "unsubscribe_url": URL}


def rendered(**changes: object) -> bytes:
    delivery = replace(DELIVERY, **changes)  # type: ignore[arg-type]
    return compile_edition(EDITION, HEAD).render(delivery, FIELDS)


def parsed(content: bytes):
    return message_from_bytes(content, policy=policy.default)


def test_the_golden_headers() -> None:
    head = rendered().partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
    fixed = [line for line in head if not line.startswith((" ", "Message-ID", "Content-Type"))]
    assert fixed == [
        "From: The Lantern <briefing@lantern.example>",
        "Reply-To: <wales@lantern.example>",
        "Subject: =?utf-8?q?Cr=C3=A8me_br=C3=BBl=C3=A9e_in_Aberystwyth=2C_and_the_wee?=",
        "MIME-Version: 1.0",
        "Content-Transfer-Encoding: 7bit",
        "Content-Language: en",
        'List-Id: "The Lantern, Wales" <wales.lantern.example>',
        "To: Nora Whitfield <nora@reader.example>",
        "Date: Mon, 30 Nov 2026 07:00:00 +0000",
        f"List-Unsubscribe: <{URL}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Help: <mailto:wales@lantern.example?subject=help>",
        "List-Owner: <mailto:wales@lantern.example>",
        "List-Archive: <https://lantern.example/>",
        "Feedback-ID: 2026-11-30:wales:briefing:the-lantern",
        "Precedence: bulk",
        "X-Auto-Response-Suppress: OOF, AutoReply",
    ]
    assert re.fullmatch(
        r"<[0-9a-f]{40}@bounces\.lantern\.example>", parsed(rendered())["Message-ID"]
    )


def test_headers_occur_once_and_bulk_mail_is_not_auto_submitted() -> None:
    names = [name.lower() for name, _ in parsed(rendered()).items()]
    assert len(names) == len(set(names))
    assert "auto-submitted" not in names


def test_an_independent_parser_reads_back_what_was_merged() -> None:
    message = parsed(rendered())
    assert not message.defects
    assert message["Subject"] == EDITION.subject
    plain, html = message.iter_parts()
    assert [plain.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    assert not plain.defects
    assert not html.defects
    assert plain.get_content() == (merge_text(EDITION.text, FIELDS) + "\n").replace("\n", "\r\n")
    assert html.get_content() == merge_html(EDITION.html, FIELDS).replace("\n", "\r\n")


def test_lines_are_crlf_and_short() -> None:
    content = rendered()
    assert content.endswith(b"--\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    body = content.partition(b"\r\n\r\n")[2]
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    # A soft break right before a boundary would be an encoding error.
    assert b"=\r\n\r\n--" not in content


def test_a_repeat_is_the_same_bytes_whatever_happened_in_between() -> None:
    again = rendered(attempts=3, state=DeliveryState.IN_DOUBT, due_at=datetime.now(UTC))
    assert again == rendered()


def test_another_delivery_has_another_message_id_and_no_value_can_be_the_boundary() -> None:
    one, two = parsed(rendered()), parsed(rendered(token="b" * 26))
    assert one["Message-ID"] != two["Message-ID"]
    boundary = one.get_boundary()
    assert boundary == two.get_boundary()
    name = f"x\n--{boundary}--\n"
    fields = FIELDS | {"name": name}
    message = parsed(compile_edition(EDITION, HEAD).render(DELIVERY, fields))
    assert len(list(message.iter_parts())) == 2
    assert " ".join(name.split()) in next(message.iter_parts()).get_content()


def test_the_message_does_not_give_the_bounce_token_away() -> None:
    assert DELIVERY.token.encode() not in rendered()


def test_the_envelope_carries_the_token_and_one_recipient() -> None:
    envelope = compile_edition(EDITION, HEAD).envelope(DELIVERY)
    assert envelope.sender == f"bounces+{DELIVERY.token}@bounces.lantern.example"
    assert envelope.recipient == "nora@reader.example"
    assert envelope.envid == DELIVERY.token


def test_values_are_escaped_for_where_they_stand() -> None:
    fields = FIELDS | {"name": '<script>"x"\n\nBcc: a@b.example'}
    message = parsed(compile_edition(EDITION, HEAD).render(DELIVERY, fields))
    plain, html = (part.get_content() for part in message.iter_parts())
    assert "<script>" not in html
    assert "&lt;script&gt;&quot;x&quot;" in html
    assert '<script>"x" Bcc: a@b.example,' in plain
    assert message["Bcc"] is None


def test_a_hostile_name_stays_a_name() -> None:
    message = parsed(rendered(name="Eve\r\nBcc: all@lantern.example\t=?utf-8?q?=0aX:y?="))
    assert message["Bcc"] is None
    (address,) = message["To"].addresses
    assert address.addr_spec == "nora@reader.example"


def test_an_idn_domain_goes_out_as_a_labels() -> None:
    compiled = compile_edition(EDITION, HEAD)
    delivery = replace(DELIVERY, address="nora@bücher.example")
    assert compiled.envelope(delivery).recipient == "nora@xn--bcher-kva.example"
    assert b"<nora@xn--bcher-kva.example>" in compiled.render(delivery, FIELDS)
    assert not compiled.needs_smtputf8(delivery)


def test_a_local_part_outside_ascii_needs_smtputf8() -> None:
    compiled = compile_edition(EDITION, HEAD)
    delivery = replace(DELIVERY, address="zoë@reader.example")
    assert compiled.needs_smtputf8(delivery)
    assert "<zoë@reader.example>".encode() in compiled.render(delivery, FIELDS)


@pytest.mark.parametrize(
    "url",
    ["", "http://lantern.example/u/1", "mailto:x@y.example", "https://a/\r\nX: y", "https://a/, b"],
)
def test_an_unsubscribe_address_that_will_not_work_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="unsubscribe"):
        compile_edition(EDITION, HEAD).render(DELIVERY, FIELDS | {"unsubscribe_url": url})


def test_loopback_may_be_http() -> None:
    fields = FIELDS | {"unsubscribe_url": "http://127.0.0.1:8025/u/x"}
    assert b"<http://127.0.0.1:8025/u/x>" in compile_edition(EDITION, HEAD).render(DELIVERY, fields)


def test_a_slot_without_a_value_concerns_this_reader() -> None:
    with pytest.raises(InvalidInput, match="'name'"):
        compile_edition(EDITION, HEAD).render(DELIVERY, {"unsubscribe_url": URL})


def test_everything_missing_is_said_at_once() -> None:
    bad = replace(EDITION, subject=" ", html=("<p>hello</p>",), text=("hello",))
    with pytest.raises(RenderFailed) as caught:
        compile_edition(bad, replace(HEAD, from_address=""))
    problems = [f"{fault.field}: {fault.problem}" for fault in caught.value.faults]
    assert len(problems) == 6
    assert any(problem.startswith("subject") for problem in problems)
    assert any("html: has no unsubscribe link" in problem for problem in problems)
    assert any("text: does not show the postal address" in problem for problem in problems)


def test_an_edition_is_refused_without_a_postal_address() -> None:
    with pytest.raises(RenderFailed, match="postal address"):
        compile_edition(EDITION, replace(HEAD, postal_address=""))


def test_a_subject_with_a_line_break_is_refused_for_the_edition() -> None:
    with pytest.raises(RenderFailed, match="line break"):
        compile_edition(replace(EDITION, subject="a\r\nBcc: b@c.example"), HEAD)


LITERAL = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


@given(st.lists(LITERAL, max_size=6))
def test_pieces_encoded_apart_decode_together(pieces: list[str]) -> None:
    # A line end split between two literals is two line ends; the renderer never makes one.
    pieces = [piece.replace("\r", "") for piece in pieces]
    joined = b"".join(encode_literal(piece) for piece in pieces)
    text = "".join(pieces).replace("\n", "\r\n")
    assert quopri.decodestring(joined) == text.encode()
    lines = joined.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 76 for line in lines)
    assert all(not line.endswith((b" ", b"\t")) for line in lines)
    assert b"\n" not in joined.replace(b"\r\n", b"")
    assert not any(line.startswith(b".") for line in lines)
    assert joined.isascii()


@pytest.mark.parametrize("ending", [" \n", "\t\n", "  \n", " "])
def test_a_space_at_the_end_of_a_full_line_breaks_it(ending: str) -> None:
    for length in range(60, 82):
        text = "a" * length + ending
        encoded = encode_literal(text)
        assert max(map(len, encoded.split(b"\r\n"))) <= 76
        assert quopri.decodestring(encoded) == text.replace("\n", "\r\n").encode()


@example("<<<<<<<<<<<<<<<<<<<<<<<<<<\n<<<<==aaaaaaaaaaaaaaaaaaa&&&ééé \n")
@given(
    st.text(st.sampled_from("ab .é=,&<\n\t"), min_size=60, max_size=170)
    | st.text(st.sampled_from("ab."), min_size=70, max_size=240)
    | LITERAL
)
def test_whatever_a_value_holds_it_comes_back_and_breaks_no_line(value: str) -> None:
    fields = FIELDS | {"name": value}
    compiled = compile_edition(EDITION, HEAD)
    content = compiled.render(DELIVERY, fields)
    assert content == b"".join(compiled.compose(DELIVERY, fields))
    lines = content.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith(b".") for line in lines)
    plain, html = parsed(content).iter_parts()
    wanted = merge_text(EDITION.text, fields).replace("\n", "\r\n")
    assert plain.get_payload(decode=True).decode() == wanted + "\r\n"
    escaped = merge_html(EDITION.html, fields)
    assert html.get_payload(decode=True).decode() == re.sub(r"\r\n|\r|\n", "\r\n", escaped)


NAMES = [
    "",
    "Nora",
    "Nora Whitfield",
    "N. O'Hara",
    "a =?utf-8?q?x?=",
    "Zoë",
    "x" * 70,
    "a  b",
    "a@b",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "address", ["n@r.example", "n.o+x@r.example", "n..o@r.example", "n@Bücher.example"]
)
def test_the_short_way_to_a_header_is_the_long_way(name: str, address: str) -> None:
    head = rendered(name=name, address=address).partition(b"\r\nDate:")[0].partition(b"\r\nTo:")[2]
    long = structured("To", mailbox(" ".join(name.split()), address))
    assert b"To:" + head + b"\r\n" == long


@pytest.mark.parametrize("length", range(70, 82))
def test_the_last_line_leaves_room_for_the_soft_break(length: int) -> None:
    encoded = encode_literal("x" * length)
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert quopri.decodestring(encoded) == b"x" * length
