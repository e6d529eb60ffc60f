"""What the network said of a link, judged."""

from __future__ import annotations

import pytest

from mailer.editions.checks.check_online import Looked, ids_of, judge

STORY = "https://tidewater.example/pier"
HOME = "https://tidewater.example/"


@pytest.mark.parametrize(
    ("href", "looked", "codes"),
    [
        (STORY, Looked(200, url=STORY), []),
        (STORY, Looked(404, url=STORY), ["link-gone"]),
        (STORY, Looked(410, url=STORY), ["link-gone"]),
        (STORY, Looked(503, url=STORY), ["link-unreachable"]),
        (STORY, Looked(0, trouble="did not answer"), ["link-unreachable"]),
        (STORY, Looked(0, trouble="is private", is_refused=True), ["link-refused"]),
        (STORY, Looked(200, url=HOME, moved_to=HOME), ["link-rotten"]),
        (STORY, Looked(200, url=f"{HOME}?from=pier"), []),
        (HOME, Looked(200, url=HOME), []),
        (STORY, Looked(200, url=f"{STORY}/2", moved_to=f"{STORY}/2"), ["link-moved"]),
        (f"{STORY}#end", Looked(200, url=STORY, ids=frozenset({"end"})), []),
        (f"{STORY}#end", Looked(200, url=STORY, ids=frozenset()), ["link-anchor-missing"]),
        (f"{STORY}#end", Looked(200, url=STORY, ids=None), []),
        (f"{STORY}#:~:text=x", Looked(200, url=STORY, ids=frozenset()), []),
        (f"{STORY}#caf%C3%A9", Looked(200, url=STORY, ids=frozenset({"café"})), []),
    ],
)
def test_a_link_is_judged_by_what_came(href: str, looked: Looked, codes: list[str]) -> None:
    assert [hit.code for hit in judge(href, looked)] == codes


def test_places_of_a_page() -> None:
    assert ids_of("<p id='a'><a name=b></a><h2 id=\"c\">") == {"a", "b", "c"}
