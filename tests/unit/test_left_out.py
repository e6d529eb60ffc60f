"""What the demonstration shows as left out."""

from __future__ import annotations

from mailer.cli.demonstration import SHOWN_REASONS, left_out
from mailer.selection.reasons import Decision


def decision(article_id: str, *, block: str = "", rule: str = "quota") -> Decision:
    return Decision(
        article_id, block=block, is_chosen=not rule, rule=rule, reasons=(f"{rule} {block}",)
    )


def test_a_story_that_stands_in_another_block_is_not_left_out() -> None:
    found = left_out(
        [
            decision("mill", block="lead", rule=""),
            decision("bells", block="region:wales", rule=""),
            decision("mill", block="news"),
            decision("bells", block="region:bristol"),
            decision("bus", block="lead"),
            decision("bus", block="news"),
            decision("old", rule="window"),
        ]
    )
    assert found == [("bus", "quota lead")]


def test_only_a_few_are_shown() -> None:
    assert len(left_out([decision(f"a{n}") for n in range(20)])) == SHOWN_REASONS
