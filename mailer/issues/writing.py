"""Writing an issue's file: what reads back to the same issue, with the reasons as comments.

One pick a line, so that a change is one line in git; free text always in double quotes, notes of
several lines as a literal block, so that no value can ever be read as something else. Reasons
stand above each pick; the best of what was left out closes the front matter. The comments are
for the editor and cost nothing to delete. Front matter has a largest size: when very many picks
would pass it, the reasons are shortened, then dropped; the picks never are.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import yaml

from mailer.almanac import long_date
from mailer.articles.article import Article, DiaryEntry
from mailer.articles.recurring import rule_in_words
from mailer.issues.issue import Issue, Pick, Wishes
from mailer.selection.filling import region_block
from mailer.selection.reasons import Decision, Proposal

PLACEHOLDER = "<!-- Write this week's opening here. -->"
"""The body of a fresh draft. As a comment it is no text, so the opening reads as empty."""

LARGEST_HEAD = 60_000
"""Below the 64,000 characters that front matter may have."""

BEST_LEFT_OUT = 12
MOST_TWINS = 5
OF_NO_INTEREST = frozenset({"window", "too-new", "already-sent"})
"""Rules that leave out what nobody expects to see; they are counted, not listed."""

NEVER_FITTED = frozenset({"kind", "no-picture", "no-standfirst"})
"""Rules by which a block could not have held the story, however few others there were."""


def write_issue(
    issue: Issue,
    proposal: Proposal | None = None,
    articles: Mapping[str, Article] | None = None,
    *,
    diary: Mapping[str, DiaryEntry] | None = None,
    preface: Sequence[str] = (),
) -> str:
    """Return the file of an issue.

    Args:
        issue: what to write; its texts without outer white space, its opening without comments.
        proposal: the decisions to print as comments beside the picks; None prints none.
        articles: titles, bylines and flags for the comments, by id.
        diary: likewise for diary entries.
        preface: lines for the comment at the top.
    """
    head: list[str] = []
    for detail in (3, 1, 0):
        head = _head(
            issue,
            proposal if detail else None,
            articles or {},
            diary or {},
            preface,
            is_brief=detail == 1,
        )
        if sum(len(line) + 1 for line in head) <= LARGEST_HEAD:
            break
    return "\n".join(["---", *head, "---", "", issue.opening or PLACEHOLDER, ""])


def _head(
    issue: Issue,
    proposal: Proposal | None,
    articles: Mapping[str, Article],
    diary: Mapping[str, DiaryEntry],
    preface: Sequence[str],
    *,
    is_brief: bool,
) -> list[str]:
    decisions = proposal.decisions if proposal else ()
    chosen = {(d.block, d.article_id): d for d in decisions if d.is_chosen}
    twins: dict[str, list[Decision]] = {}
    for each in decisions:
        if each.rule == "twin" and each.nearest:
            twins.setdefault(each.nearest.article_id, []).append(each)
    lines = [f"# {plain(line)}" for line in preface]
    lines += [
        f"number: {issue.number}",
        f"date: {issue.date.isoformat()}",
        *([f"corrects: {issue.corrects}"] if issue.corrects else []),
        f"subject: {_quoted(issue.subject)}",
        f"preheader: {_quoted(issue.preheader)}",
        f"columnist: {_quoted(issue.columnist)}",
        f"column_title: {_quoted(issue.opening_title)}",
        *([f"audience: {_single(issue.audience)}"] if issue.audience else []),
        *([f"template: {_name(issue.template)}"] if issue.template else []),
        "",
        "sections:" if issue.sections else "sections: {}",
    ]
    for slug, picks in issue.sections.items():
        lines.append(f"  {_name(slug)}:" if picks else f"  {_name(slug)}: []")
        for pick in picks:
            lines += _comments(chosen.get((slug, pick.article_id)), articles, " " * 4, is_brief)
            lines += _others(twins.get(pick.article_id, ()), articles, " " * 4)
            lines += _pick(pick, " " * 4)
    lines += ["", "regions:" if issue.regions else "regions: {}"]
    for slug, block in issue.regions.items():
        lines += [f"  {_name(slug)}:", *_text("note", block.note, " " * 4)]
        if block.lent_from:
            lines.append(f"    # {slug} has nothing of its own this week; these are lent.")
            lines.append(f"    from: {_name(block.lent_from)}")
        lines.append("    picks:" if block.picks else "    picks: []")
        for pick in block.picks:
            found = chosen.get((region_block(slug), pick.article_id))
            lines += _comments(found, articles, " " * 6, is_brief)
            lines += _others(twins.get(pick.article_id, ()), articles, " " * 6)
            lines += _pick(pick, " " * 6)
    lines += ["", "diary:" if issue.diary else "diary: []"]
    if issue.diary and diary:
        lines.append("  # Take a line out to leave it out here; `mailer diary hide` does for good.")
    for entry_id in issue.diary:
        if entry := diary.get(entry_id):
            lines += [f"  # {line}" for line in _occasion(entry, is_brief=is_brief)]
        lines.append(f"  - {_name(entry_id)}")
    lines += [
        "",
        "quote:",
        *_text("text", issue.quote, "  "),
        f"  source: {_quoted(issue.quote_source)}",
        *_wishes(issue.wishes),
    ]
    return lines + _left_out(decisions, articles)


def _occasion(entry: DiaryEntry, *, is_brief: bool) -> list[str]:
    until = f" to {long_date(entry.until)}" if entry.until and not entry.repeats else ""
    at = f", {entry.at:%H:%M}" if entry.at else ""
    often = f", {rule_in_words(entry.repeats)}" if entry.repeats else ""
    words = plain(f"{long_date(entry.on)}{until}{at}{often}: {entry.title}, {entry.place}")
    lines = [words.rstrip(", ")]
    if is_brief:
        return lines
    if entry.article_id:
        lines.append(f"  found in {plain(entry.article_id)}")
    return lines + [f"  look at: {plain(flag.note)}" for flag in entry.flags]


def _wishes(wishes: Wishes) -> list[str]:
    lines = ["", "pins:"] if wishes.pins else []
    for name, ids in wishes.pins.items():
        lines.append(f"  {_name(name)}: [{', '.join(map(_name, ids))}]")
    if wishes.blocked:
        lines += ["", f"blocked: [{', '.join(map(_name, wishes.blocked))}]"]
    return lines


def _single(text: str) -> str:
    # An expression is full of double quotes; between single ones it stays readable.
    return "'" + text.replace("'", "''") + "'"


def _pick(pick: Pick, indent: str) -> list[str]:
    if pick == Pick(pick.article_id):
        return [f"{indent}- {_name(pick.article_id)}"]
    lines = [f"{indent}- article: {_name(pick.article_id)}"]
    if pick.headline:
        lines.append(f"{indent}  headline: {_quoted(pick.headline)}")
    if pick.standfirst:
        lines += _text("standfirst", pick.standfirst, f"{indent}  ")
    if pick.follow_up:
        lines.append(f"{indent}  follow_up: true")
    if not pick.has_image:
        lines.append(f"{indent}  image: false")
    if pick.image_alt is not None:
        lines.append(f"{indent}  image_alt: {_quoted(pick.image_alt)}")
    if pick.image_credit:
        lines.append(f"{indent}  image_credit: {_quoted(pick.image_credit)}")
    return lines


def _comments(
    decision: Decision | None, articles: Mapping[str, Article], indent: str, is_brief: bool
) -> list[str]:
    if decision is None:
        return []
    article = articles.get(decision.article_id)
    said = [f"score {decision.score:.2f}"]
    if article is not None:
        by = f"by {', '.join(article.authors)}" if article.authors else "no byline"
        said = [article.title, by, f"{article.word_count} words", *said]
    lines = [f"{indent}# {plain('; '.join(said))}"]
    if is_brief:
        return lines
    lines += [f"{indent}#   {plain(reason)}" for reason in decision.reasons]
    if article is not None:
        lines += [f"{indent}#   look at: {plain(flag.note)}" for flag in article.flags]
    return lines


def _others(twins: Sequence[Decision], articles: Mapping[str, Article], indent: str) -> list[str]:
    """Return the comments on what tells the same story and gave way."""
    lines = []
    for twin in twins[:MOST_TWINS]:
        article = articles.get(twin.article_id)
        source = f" ({article.source})" if article and article.source else ""
        lines.append(
            f"{indent}#   the same story: {plain(f'{twin.article_id}{source}; {twin.nearest}')}"
        )
    if len(twins) > MOST_TWINS:
        lines.append(f"{indent}#   and {len(twins) - MOST_TWINS} more of the same story")
    return lines


def _left_out(decisions: Iterable[Decision], articles: Mapping[str, Article]) -> list[str]:
    """Return the closing comment: the best of what was left out, and how many more by rule."""
    decisions = list(decisions)
    placed = {d.article_id for d in decisions if d.is_chosen}
    best: dict[str, Decision] = {}
    for decision in decisions:
        if decision.article_id in placed:
            continue
        # Of several blocks that refused it, the one where it came nearest tells most.
        known = best.get(decision.article_id)
        if known is None or _nearness(decision) > _nearness(known):
            best[decision.article_id] = decision
    listed = [d for d in best.values() if d.rule not in OF_NO_INTEREST]
    listed.sort(key=lambda d: (-d.score, d.article_id))
    rest = Counter(d.rule for d in listed[BEST_LEFT_OUT:])
    rest.update(d.rule for d in best.values() if d.rule in OF_NO_INTEREST)
    if not best:
        return []
    lines = ["", "# Left out, the best first. To use one, write its id under a section."]
    for decision in listed[:BEST_LEFT_OUT]:
        article = articles.get(decision.article_id)
        title = f": {article.title}" if article else ""
        lines.append(f"# - {plain(f'{decision.article_id}{title}; score {decision.score:.2f}')}")
        lines += [f"#     {plain(reason)}" for reason in decision.reasons[:1]]
    if rest:
        counts = ", ".join(f"{count} by {rule}" for rule, count in sorted(rest.items()))
        lines.append(f"# And {sum(rest.values())} more: {counts}.")
    lines.append("# `mailer why ARTICLE` gives every reason.")
    return lines


def _nearness(decision: Decision) -> tuple[bool, float]:
    return (decision.rule not in NEVER_FITTED, decision.score)


def _text(key: str, value: str, indent: str) -> list[str]:
    """Write a text under a key: as a literal block where that is safe, else in quotes."""
    rows = value.split("\n")
    is_literal = (
        len(rows) > 1
        and all(row.isprintable() and row == row.rstrip() for row in rows)
        and rows[0] == rows[0].lstrip()
        and bool(rows[0])
        and bool(rows[-1])
    )
    if not is_literal:
        return [f"{indent}{key}: {_quoted(value)}"]
    return [f"{indent}{key}: |-", *(f"{indent}  {row}".rstrip() for row in rows)]


def _quoted(value: str) -> str:
    written = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=sys.maxsize)
    return str(written).rstrip("\n")


def _name(value: str) -> str:
    """Write a slug bare, and anything YAML could take for something else in quotes."""
    words = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
    is_bare = re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) and value not in words
    return value if is_bare else _quoted(value)


def plain(text: str) -> str:
    """Return a text on one line without anything a comment could not hold."""
    return " ".join("".join(ch if ch.isprintable() else " " for ch in text).split())
