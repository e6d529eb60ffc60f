"""The journal: what it says survives, whatever is torn off its end."""

from __future__ import annotations

import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.delivery import journal as journals
from mailer.delivery.delivery import Outcome, Reply, Verdict
from mailer.delivery.journal import Ending, Journal, read_journal
from mailer.errors import StorageFailed

AT = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
OK = Outcome(Verdict.ACCEPT, Reply(250, "2.0.0", "kept"))


def test_what_was_begun_and_what_ended_is_told(tmp_path: Path) -> None:
    path = tmp_path / "var" / "journal"
    journal = Journal(path, "j1")
    journal.begun(1, 1)
    journal.begun(2, 3)
    ended = Ending(2, 3, OK, AT)
    journal.ended(ended)
    put_off = Outcome(Verdict.DEFER, None, "lost\tat\nRCPT", is_connection_usable=False)
    deferred = Ending(3, 1, put_off, AT, AT + timedelta(minutes=5))
    journal.ended(deferred)
    assert read_journal(path).ended == {}  # Held until it is flushed, or something is begun.
    journal.flush()
    told = read_journal(path)
    assert told is not None
    assert (told.id, told.begun, told.damaged) == ("j1", {1: 1}, 0)
    assert told.ended[2, 3] == ended
    found = told.ended[3, 1]
    assert (found.due_at, found.outcome.note) == (deferred.due_at, "lost at RCPT")
    assert not found.outcome.is_connection_usable
    journal.close(is_settled=True)
    assert read_journal(path) is None


def test_it_is_begun_anew_with_what_is_not_settled(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(journals, "LONGEST_BYTES", 2000)
    path = tmp_path / "journal"
    journal = Journal(path, "j1")
    for number in range(100):
        journal.begun(number, 1)
        ending = Ending(number, 1, OK, AT)
        if number % 10:
            journal.ended(ending)
            journal.settled([ending])
        assert path.stat().st_size < 4000
    told = read_journal(path)
    assert told is not None
    assert set(told.begun) >= set(range(0, 100, 10))
    assert told.id == "j1"


TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans(), TEXT), max_size=30),
    st.integers(0, 400),
    st.binary(max_size=12),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_torn_or_damaged_end_takes_nothing_else_with_it(tmp_path, steps, cut, junk) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, "j1")
    sizes = [path.stat().st_size]
    for delivery_id, is_end, text in steps:
        if is_end:
            reply = Reply(550, "5.1.1", text)
            journal.ended(Ending(delivery_id, 1, Outcome(Verdict.REFUSE, reply), AT))
            journal.flush()
        else:
            journal.begun(delivery_id, 1)
        sizes.append(path.stat().st_size)
    journal.close(is_settled=False)
    data = path.read_bytes()
    kept = max(sizes[0], len(data) - cut)
    path.write_bytes(data[:kept] + junk)
    whole = max(number for number, size in enumerate(sizes) if size <= kept)
    wanted_begun: set[int] = set()
    wanted_ended: set[int] = set()
    for delivery_id, is_end, _ in steps[:whole]:
        (wanted_ended if is_end else wanted_begun).add(delivery_id)
        if is_end:
            wanted_begun.discard(delivery_id)
    told = read_journal(path)
    assert told is not None
    assert told.id == "j1"
    assert {key[0] for key in told.ended} >= wanted_ended
    assert set(told.begun) >= wanted_begun - {key[0] for key in told.ended}


@pytest.mark.parametrize("content", [b"", b"nonsense\n", b"\x00\xff\n\n"])
def test_a_file_that_is_no_journal_has_no_id(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    told = read_journal(path)
    assert told is not None
    assert (told.id, told.begun, told.ended) == ("", {}, {})


def test_what_cannot_be_written_is_said_before_the_content_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="the journal cannot be written"):
        Journal(tmp_path / "file" / "journal", "j1")
    journal = Journal(tmp_path / "journal", "j1")
    journal.close(is_settled=False)
    with pytest.raises(StorageFailed):
        journal.begun(1, 1)


def test_what_a_full_disk_refused_is_written_when_it_takes_it(tmp_path, monkeypatch) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, "j1")
    journal.begun(1, 1)
    ending = Ending(1, 1, OK, AT)
    journal.ended(ending)
    with monkeypatch.context() as patch:
        patch.setattr(journals.os, "write", _full)
        with pytest.raises(StorageFailed):
            journal.flush()
        with pytest.raises(StorageFailed):
            journal.begun(2, 1)
    journal.close(is_settled=False)
    told = read_journal(path)
    assert told is not None
    # What ended is told; what must not be written was never begun.
    assert (told.ended, told.begun) == ({(1, 1): ending}, {})


def _full(_descriptor: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
