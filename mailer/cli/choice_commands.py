"""``mailer select``, ``mailer why`` and ``mailer issue explain``: the choice, and its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from mailer.cli.options import IssueDay, IssueName, Json, complete_issue, folder
from mailer.cli.output import note, progress, say, say_json, table
from mailer.errors import Fault, InvalidInput


def register(app: typer.Typer, issue_app: typer.Typer) -> None:
    """Add the commands to the tree."""
    app.command()(select)
    app.command()(why)
    issue_app.command()(explain)


def select(
    ctx: typer.Context,
    day: IssueDay = None,
    simulate: Annotated[
        int | None,
        typer.Option(
            "--simulate",
            min=1,
            max=260,
            metavar="ISSUES",
            help="Replay so many past issues instead, and say what they would have held.",
            show_default=False,
        ),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Try another value of [selection], such as weights.recency=2; may be given again.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what would be chosen; nothing is written. `mailer issue draft` writes the file.

    Examples: `mailer select`, `mailer select --set half_life_days=6`,
    `mailer select --simulate 12 --set weights.region=1`
    """
    from mailer.app import open_app
    from mailer.usecases import simulating

    if simulate and day:
        raise InvalidInput(
            Fault("takes no date: it replays the issues before now", field="--simulate")
        )
    with open_app(folder(ctx)) as app:
        policy = simulating.tried_policy(app, changes or [])
        if simulate:
            with progress("Replaying") as step:
                found = simulating.simulate(app, simulate, policy=policy, progress=step)
        else:
            found = simulating.choose(app, day.date() if day else None, policy=policy)
    if as_json:
        say_json(found)
    elif simulate:
        _show_replay(found)
    else:
        _show_choice(found)


def _show_choice(found: Mapping[str, Any]) -> None:
    table(
        f"What issue {found['issue']} would hold, of {found['considered']} articles",
        ["block", "story", "score #", "why"],
        [
            (block["title"] if place == 0 else "", story["title"], f"{story['score']:.2f}",
             _terms(story["terms"]))
            for block in found["blocks"]
            for place, story in enumerate(block["stories"])
        ],
    )  # fmt: skip
    empty = [block["title"] for block in found["blocks"] if not block["stories"]]
    if empty:
        say(f"Nothing for {', '.join(empty)}.")


def _show_replay(found: Mapping[str, Any]) -> None:
    table(
        "Issue by issue",
        ["issue", "in window #", "chosen #", "median age h #", "authors #", "sources #",
         "repeats #", "regions without own #"],
        [
            (week["issue"], week["considered"], week["chosen"], week["age_h_median"],
             week["authors"], week["sources"], week["repeats"], len(week["without_own"]))
            for week in found["weeks"]
        ],
    )  # fmt: skip
    total = found["total"]
    table(
        "Sections",
        ["section", "stories a week #", "filled #", "weeks below minimum #"],
        [
            (slug, f"{row['stories_a_week']:.1f}", f"{row['filled']:.0%}",
             row["weeks_below_minimum"])
            for slug, row in total["sections"].items()
        ],
    )  # fmt: skip
    table(
        "Regions",
        ["region", "own stories a week #", "weeks with own #"],
        [
            (slug, f"{row['stories_a_week']:.1f}", f"{row['weeks_with_own']} of {total['weeks']}")
            for slug, row in total["regions"].items()
        ],
    )
    age, spread = total["age_h"], total["spread"]
    say(f"Repeats: {total['repeat_rate']:.2%} of what lists were shown.")
    if age["median"] is not None:
        oldest = f", nine in ten under {age['p90']:.0f}" if age["p90"] is not None else ""
        say(f"Age when it goes out: {age['median']:.0f} hours in the middle{oldest}.")
    largest = (
        f"; {spread['largest_source']} has {spread['largest_share']:.0%}"
        if spread["largest_source"]
        else ""
    )
    say(f"Spread: {spread['authors']} authors, {spread['sources']} sources{largest}.")


def why(
    ctx: typer.Context,
    article: Annotated[
        str | None,
        typer.Argument(
            metavar="[ARTICLE]",
            help="An article's id, its beginning, or the title.",
            show_default=False,
        ),
    ] = None,
    is_not: Annotated[
        bool,
        typer.Option("--not", help="Only what was left out; without an article, all of an issue."),
    ] = False,
    issue: Annotated[
        str,
        typer.Option(
            "--issue",
            metavar="ISSUE",
            help="With --not: which issue.",
            autocompletion=complete_issue,
        ),
    ] = "next",
    as_json: Json = False,
) -> None:
    """Say why an article was chosen or not, and what would have changed it.

    Examples: `mailer why night-bus-returns`, `mailer why --not`,
    `mailer why --not --issue latest`
    """
    from mailer.app import open_app
    from mailer.usecases import explaining

    if article is None and not is_not:
        raise InvalidInput(
            Fault("name an article, or ask with --not for all that were left out", field="ARTICLE",
                  remedy="`mailer articles` lists their ids")
        )  # fmt: skip
    with open_app(folder(ctx)) as app:
        if article is None:
            name = app.desk.resolve(issue)
            rows = explaining.left_out(app, name)
            if as_json:
                say_json({"issue": name, "left_out": rows})
            else:
                _show_left_out(name, rows)
            return
        found, reasons = explaining.why(app, article, is_left_out=is_not)
    if as_json:
        say_json({"article": found.id, "title": found.title, "decisions": reasons})
        return
    say(f"{found.title} ({found.id})", style="bold")
    if not reasons:
        say(
            "It was never left out."
            if is_not
            else "No issue has been drafted since it was taken in. Run `mailer issue draft`."
        )
    for row in reasons:
        verdict = (
            f"chosen, place {row['rank']}" if row["is_chosen"] else f"left out ({row['rule']})"
        )
        block = f" in {row['block']}" if row["block"] else ""
        say(f"{row['issue']}: {verdict}{block}, score {row['score']:.3f}")
        for reason in row["reasons"]:
            say(f"  - {reason}")
        if row["nearest"]:
            say(f"  - nearest to {row['nearest']['article']}: {row['nearest']['said']}")
        if row["would_change"]:
            say(f"  > would have changed it: {row['would_change']}")


def _show_left_out(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        say(f"Issue {name} holds everything that was considered.")
        return
    table(
        f"Left out of issue {name}",
        ["article", "rule", "score #", "nearest", "would have changed it"],
        [
            (row["article"], row["rule"], f"{row['score']:.2f}", _nearest(row), row["would_change"])
            for row in rows
        ],
    )
    note("`mailer why ARTICLE` tells one in full.")


def explain(ctx: typer.Context, issue: IssueName, as_json: Json = False) -> None:
    """Explain an issue as it was proposed, block by block, with what missed a place.

    Example: `mailer issue explain next`
    """
    from mailer.app import open_app
    from mailer.usecases import explaining

    with open_app(folder(ctx)) as app:
        found = explaining.explain(app, app.desk.resolve(issue))
    if as_json:
        say_json(found)
        return
    left = ", ".join(f"{count} {rule}" for rule, count in found["left_out"].items())
    say(f"Issue {found['id']} ({found['state']})", style="bold")
    if found["window_from"] and found["window_until"]:
        opened, closed = (f"{found[end]:%a %d %b %H:%M}" for end in ("window_from", "window_until"))
        say(f"Window: {opened} to {closed} UTC")
    say(f"Considered {found['considered']}, chosen {found['chosen']}; left out: {left or 'none'}.")
    for block in found["blocks"]:
        if not block["chosen"] and not block["missed"]:
            continue
        table(
            block["title"],
            ["#", "story", "score #", "why"],
            [
                (row["rank"], row["title"], f"{row['score']:.2f}", _terms(row["terms"]))
                for row in block["chosen"]
            ]
            + [
                ("-", row["title"], f"{row['score']:.2f}",
                 f"{row['rule']}; would have changed it: {row['would_change']}")
                for row in block["missed"]
            ],
        )  # fmt: skip
        more = block["missed_count"] - len(block["missed"])
        if more > 0:
            note(f"… and {more} more that missed {block['title']}.")
    if found["regions_without_own"]:
        say(f"Without a story of their own: {', '.join(found['regions_without_own'])}.")


def _terms(terms: Mapping[str, float]) -> str:
    telling = sorted(terms.items(), key=lambda term: -abs(term[1]))
    return ", ".join(f"{name} {value:.2f}" for name, value in telling if value)


def _nearest(row: Mapping[str, Any]) -> str:
    nearest = row["nearest"]
    return f"{nearest['article']} ({nearest['measure']} {nearest['value']:.0%})" if nearest else ""
