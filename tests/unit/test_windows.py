"""Windows: whatever happens to issues, no article falls between two Mondays, and none is in two."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailer.articles.article import Article
from mailer.issues.drafting import selection_context
from mailer.issues.issue import IssueRecord, IssueState
from mailer.publication import Publication
from mailer.selection.filtering import SelectionContext, refusals
from tests.browser.sampling import make_publication

MONDAY = date(2026, 11, 2)
START = datetime(2026, 10, 27, tzinfo=UTC)

WEEK = st.fixed_dictionaries(
    {
        # Hours after the Tuesday before: the first draft, and drafts anew until Monday at six.
        "drafts": st.lists(st.integers(1, 142), min_size=1, max_size=3).map(sorted),
        "end": st.sampled_from((IssueState.SENT, IssueState.SENT, IssueState.CANCELLED, None)),
    }
)


def weeks_of(
    publication: Publication, plan: list[dict[str, object]]
) -> list[tuple[SelectionContext, bool]]:
    """Return each week's last window, and whether readers got that issue."""
    records: list[IssueRecord] = []
    found = []
    for number, week in enumerate(plan):
        on = MONDAY + timedelta(weeks=number)
        context = None
        for hours in week["drafts"]:  # type: ignore[attr-defined]
            context = selection_context(
                publication,
                on,
                now=START + timedelta(weeks=number, hours=hours),
                records=records,
                exposures=frozenset(),
            )
        assert context is not None
        end = week["end"]
        if end is None and number:
            # Nobody drafted that week.
            continue
        records.append(
            IssueRecord(
                on.isoformat(),
                number + 1,
                end or IssueState.DRAFT,  # type: ignore[arg-type]
                window_from=context.window_from,
                window_until=context.window_until,
            )
        )
        found.append((context, end is IssueState.SENT))
    return found


@given(st.lists(WEEK, min_size=2, max_size=6), st.lists(st.integers(0, 42 * 24 * 60), max_size=40))
def test_every_article_is_in_exactly_one_window_that_readers_got(
    plan: list[dict[str, object]], minutes: list[int]
) -> None:
    got = [context for context, is_sent in weeks_of(make_publication(), plan) if is_sent]
    for before, after in pairwise(got):
        assert before.window_until == after.window_from
    edges = [edge for context in got for edge in (context.window_from, context.window_until)]
    moment = timedelta(microseconds=1)
    instants = [START + timedelta(minutes=minute) for minute in minutes]
    instants += [near for edge in edges for near in (edge - moment, edge, edge + moment)]
    for seen in instants:
        piece = Article(
            id="a", title="A", body_html="", body_text="", content_hash="", first_seen_at=seen
        )
        inside = [
            context.issue_id
            for context in got
            if not any(
                refusal.rule in {"window", "too-new"}
                for refusal in refusals(piece, context, sent_to=(), is_pinned=False)
            )
        ]
        is_within = bool(got) and got[0].window_from <= seen < got[-1].window_until
        assert len(inside) == is_within, (seen, inside)
