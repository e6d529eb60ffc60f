"""The readers' web address: is it ours, does one-click leaving work there, and is our clock right?

A link nobody was given is posted to, as a mail program would with a real one: the site must say
that it knows no such reader. Nobody can be unsubscribed by that.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import httpx2

from mailer.app import App
from mailer.checkup.findings import Check
from mailer.checkup.mailway import skew_s
from mailer.clock import SystemClock
from mailer.errors import in_words

PATIENCE_S = 10.0
MOST_SKEW_S = 30
NOBODYS = "0" * 40
START = "start `mailer run` or `mailer serve`, and lead the proxy of MAILER_WEB_URL to it"


def reaching_checks(app: App) -> Iterator[Check]:
    """Ask the web address."""
    url = app.settings.web_url
    if not url:
        yield Check("fail", "web", "MAILER_WEB_URL is not set", "write your https address")
        return
    try:
        # Redirects are a finding, and a proxy of the environment is not how readers come.
        with httpx2.Client(timeout=PATIENCE_S, trust_env=False) as client:
            alive = client.get(f"{url}/healthz")
            now = SystemClock().now()
            posted = client.post(
                f"{url}/unsubscribe/{NOBODYS}", data={"List-Unsubscribe": "One-Click"}
            )
    except httpx2.HTTPError as error:
        why = in_words(error)
        yield Check("fail", "web", f"{url} cannot be reached: {why}", START)
        return
    if alive.status_code != 200 or alive.text.strip() != "ok":
        yield Check(
            "fail", "web", f"{url} answers {alive.status_code}, and not as the mailer does", START
        )
        return
    yield Check("ok", "web", f"{url} leads to the public pages")
    if posted.status_code == 404:
        yield Check("ok", "one-click", "the address in List-Unsubscribe takes a post")
    else:
        yield Check(
            "fail",
            "one-click",
            f"a post to it is answered {posted.status_code}, where 404 was due",
            "let the proxy pass POST to /unsubscribe/, unchanged and without a login",
        )
    yield from _skew(alive.headers.get("date", ""), now)


def _skew(date: str, now: datetime) -> Iterator[Check]:
    ahead = skew_s(date, now)
    if ahead is not None and abs(ahead) > MOST_SKEW_S:
        word = "ahead of" if ahead > 0 else "behind"
        yield Check(
            "warn",
            "clock",
            f"it is {abs(ahead):.0f} s {word} the web server's",
            "run `timedatectl set-ntp true`, or install chrony",
        )
