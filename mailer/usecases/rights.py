"""A reader's rights: to see all that is held of them, and to be forgotten.

``held_data`` goes by the schema: every table that has a subscriber or an address belongs to the
account, so that a table that is added later cannot be left out.

``forget`` erases in this order: the register, the ledger and every text that quotes the address in
one transaction; then the database's files are scrubbed, the rosters and the development inbox
are cleaned, and every file under the publication is looked at once more. What cannot be changed
by us (an article, a note of the editor's) is named. What stays is a keyed hash, a reason and a
date. It may be repeated: what was interrupted is finished.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, or_, select

from mailer.app import App
from mailer.audience.addresses import normalise
from mailer.audience.erasure import digest, erase_person
from mailer.audience.remains import Trace, take_out_of_rosters
from mailer.audience.turns import in_turn
from mailer.delivery.anonymity import anonymise
from mailer.errors import Fault, IllegalTransition, InvalidInput, NotFound
from mailer.storage import schema
from mailer.storage.scrubbing import replace_everywhere, scrub
from mailer.usecases.readers import history

CONTENT = ("articles", "diary_entries", "directory_entries", "issues", "decisions", "editions")
"""Tables of what is published; an address in them is the author's, not the reader's."""

LONGEST_REASON = 40

_HIDDEN = frozenset({"subscriber_id", "address", "token_hash", "token", "seed"})
"""Keys and capabilities: they say nothing of the reader, and a token opens something."""


def held_data(app: App, address: str) -> dict[str, Any]:
    """Return all that is held of an address.

    Raises:
        NotFound: nothing is; says so when it was erased.
    """
    wanted = normalise(address)
    with app.database.read() as connection:
        people = schema.subscribers
        person = connection.execute(select(people).where(people.c.address == wanted)).one_or_none()
        number = person.id if person else None
        rows = {
            table.name: _rows_of(connection, table, wanted, number)
            for table in schema.metadata.sorted_tables
            if table.name not in ("subscribers", "deliveries") and _is_personal(table)
        }
        mentions = _mentions(connection, wanted)
        erased = _erased_at(app, connection, wanted)
    deliveries = history(app, wanted, may_be_unknown=True)
    suppressions = rows.pop("suppressions")
    if not (person or suppressions or deliveries or any(rows.values())):
        if erased:
            raise NotFound(
                f"{wanted} asked to be forgotten on {erased:%Y-%m-%d}; nothing else is held"
            )
        raise NotFound(
            Fault(f"{wanted} is not known", remedy="`mailer subscribers list` shows who is")
        )
    return {
        "address": wanted,
        "name": person.name if person else "",
        "language": person.language if person else "",
        "fields": person.fields if person else {},
        "known_since": person.created_at if person else None,
        "paused_until": person.paused_until if person else None,
        "suppression": suppressions[0] if suppressions else None,
        "subscriptions": rows.pop("subscriptions"),
        "events": rows.pop("consent_events"),
        "confirmations": rows.pop("confirmations"),
        "deliveries": deliveries,
        "mentions": mentions,
    } | {name: found for name, found in rows.items() if found}


def _is_personal(table: Table) -> bool:
    return bool({"subscriber_id", "address"} & set(table.c.keys())) and table.name not in CONTENT


def _rows_of(
    connection: Connection, table: Table, address: str, number: int | None
) -> list[dict[str, Any]]:
    by = []
    if "address" in table.c:
        by.append(table.c.address == address)
    if "subscriber_id" in table.c and number is not None:
        by.append(table.c.subscriber_id == number)
    if not by:
        return []
    order = [table.c[name] for name in ("at", "created_at", "id", "region") if name in table.c]
    statement = select(table).where(or_(*by)).order_by(*order)
    return [
        {
            name: value
            for name, value in row.items()
            if name not in _HIDDEN and not (name == "id" and "subscriber_id" in row)
        }
        for row in connection.execute(statement).mappings()
    ]


def _mentions(connection: Connection, address: str) -> list[dict[str, Any]]:
    events = schema.events
    quoted = func.lower(events.c.detail["address"].as_string()) == address.lower()
    rows = connection.execute(select(events).where(quoted).order_by(events.c.id)).all()
    return [{"at": row.at, "kind": row.kind, "by": row.by, "detail": row.detail} for row in rows]


def _erased_at(app: App, connection: Connection, address: str) -> Any:
    table = schema.erasures
    key = app.pepper.key(connection)
    if key is None:
        return None
    return connection.execute(
        select(table.c.at).where(table.c.digest == digest(address, key))
    ).scalar()


def forget(app: App, address: str, *, reason: str = "asked") -> dict[str, Any]:
    """Erase a reader; return in figures what was erased, and what still names the address.

    Raises:
        NotFound: nothing of the address is here.
        IllegalTransition: a sender is at work on a delivery to it.
        ConfigurationError: there is no secret to key the hash with.
    """
    wanted = normalise(address)
    trace = Trace(wanted)
    if len(reason) > LONGEST_REASON or "@" in reason:
        raise InvalidInput(
            Fault(
                "is kept for good and must be short and name nobody",
                field="--reason",
                remedy=f"use a few words, at most {LONGEST_REASON} characters",
            )
        )
    now = app.clock.now()
    _require_something(app, wanted, trace)
    _clear_journal(app, trace)
    # An import asks once who was erased; beside one, it would write the reader down again.
    with in_turn(app.database) as connection:
        erased = erase_person(connection, wanted, app.pepper, reason=reason, now=now)
        deliveries = anonymise(connection, wanted, app.pepper.make(connection, now=now), now=now)
        texts = replace_everywhere(
            connection, trace.pattern, spellings=trace.spellings, except_in=CONTENT
        )
    scrub(app.database, except_in=CONTENT)
    rosters = take_out_of_rosters(app.root / "subscribers", wanted)
    messages = _clear_inbox(app, trace)
    return {
        "at": now,
        "reason": reason,
        "digest": erased.digest,
        "subscriptions": erased.subscriptions,
        "events": erased.consent_events,
        "confirmations": erased.confirmations,
        "suppression": erased.was_suppressed,
        "deliveries": deliveries,
        "texts": texts,
        "inbox": messages,
        "rosters": [{"file": _short(app, path), "rows": count} for path, count in rosters],
        "remains": [_short(app, path) for path in trace.files(app.root)],
    }


def _require_something(app: App, address: str, trace: Trace) -> None:
    try:
        held_data(app, address)
    except NotFound:
        with app.database.read() as connection:
            is_erased = _erased_at(app, connection, address) is not None
        if not is_erased and not trace.files(app.root):
            raise


def _clear_journal(app: App, trace: Trace) -> None:
    """Remove a journal that quotes the address and that nobody needs any more."""
    path = app.root / "var" / "sending.journal"
    if not trace.is_in_file(path):
        return
    deliveries = schema.deliveries
    with app.database.exclusive("sender") as is_held:
        if not is_held:
            raise IllegalTransition(
                Fault(
                    "an issue is being sent and its journal quotes the address",
                    remedy="wait for the sender, then run this again",
                )
            )
        with app.database.read() as connection:
            issue_id = connection.execute(
                select(deliveries.c.issue_id).where(deliveries.c.state == "claimed").limit(1)
            ).scalar()
        if issue_id is not None:
            raise IllegalTransition(
                Fault(
                    f"a sender of issue {issue_id} died and its journal quotes the address",
                    remedy=f"run `mailer send {issue_id}`, then run this again",
                )
            )
        path.unlink(missing_ok=True)
        app.ledger.closed()


def _clear_inbox(app: App, trace: Trace) -> int:
    """Remove the development inbox's messages to, from or about the address."""
    folder = app.root / "var" / "inbox"
    if not folder.is_dir():
        return 0
    found = {path.name.partition(".")[0] for path in trace.files(folder)}
    names = set(app.inbox.ids()) & found
    for name in names:
        app.inbox.remove(name)
    return len(names)


def _short(app: App, path: Path) -> str:
    return str(path.relative_to(app.root))
