"""An issue drawn by another set, and a region that reads another language."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

from mailer.inbox.store import Store
from tests.cli.driving import ISSUE, Mailer, change


def test_a_draft_may_name_its_set(mailer: Mailer, publication: Path) -> None:
    said = mailer("issue", "draft", "--force", "--template", "urgent", "--json")
    assert said.code == 0, said.err
    assert said.data["template"] == "urgent"
    path = publication / "issues" / f"{ISSUE}.md"
    assert "\ntemplate: urgent\n" in path.read_text(encoding="utf-8")
    html = mailer("preview", ISSUE, "--region", "wales", "--part", "html").out
    assert "Also in this issue" in html
    assert mailer("issue", "show", ISSUE, "--json").data["template"] == "urgent"


def test_a_set_that_is_not_there_is_told_where_it_was_named(mailer: Mailer, drafted: Path) -> None:
    refused = mailer("issue", "draft", "--force", "--template", "urgnt")
    assert (refused.code, len(refused.error_lines)) == (4, 1)
    assert "--template: there is no template set 'urgnt'; use briefing or" in refused.err
    change(drafted, r"^number: ", "template: urgnt\nnumber: ")
    refused = mailer("issue", "check", ISSUE)
    assert f"{drafted}: template: there is no template set 'urgnt'" in refused.err


def test_readers_of_a_german_region_are_greeted_in_german(
    mailer: Mailer, publication: Path, inbox: Store, drafted: Path
) -> None:
    region = publication / "subscribers" / "wales.toml"
    region.write_text(region.read_text(encoding="utf-8") + '\nlanguage = "de"\n')
    assert mailer("issue", "approve", ISSUE).code == 0
    assert mailer("send", ISSUE, "--region", "wales", "--yes").code == 0
    assert inbox.messages()
    for stored in inbox.messages():
        message = message_from_bytes(inbox.content(stored.id), policy=policy.default)
        for kind in ("plain", "html"):
            part = message.get_body((kind,))
            assert part is not None
            assert "Guten Tag" in part.get_content()
            assert "Dear" not in part.get_content()
            assert "Abbestellen" in part.get_content() or kind == "plain"
