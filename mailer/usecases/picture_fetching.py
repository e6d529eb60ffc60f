"""Pictures for an issue's editions, those at an address fetched through the guard.

An address that gave nothing is not asked again for ten minutes, however often the issue is rendered
meanwhile: an editor who looks at a preview must not wait for a dead server at every change.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import TYPE_CHECKING

from mailer.app import App
from mailer.articles.article import Article
from mailer.editions.images import prepare_images
from mailer.editions.pictures import PreparedImages

if TYPE_CHECKING:
    from mailer.articles.fetching import Fetcher

ASK_AGAIN_S = 600.0


def pictures_of(app: App, articles: Iterable[Article]) -> PreparedImages:
    """Make every picture of the articles, and the logo, ready to be served."""
    from mailer.articles.fetching import Answer, Trouble

    made: list[Fetcher] = []
    lock = Lock()

    def fetch(url: str) -> bytes | str:
        now = app.clock.monotonic()
        asked_at, problem = app.pictures_not_had.get(url, (now - ASK_AGAIN_S, ""))
        if now - asked_at < ASK_AGAIN_S:
            return problem
        with lock:
            if not made:
                made.append(app.fetcher())
        answer = made[0].fetch(url, accept="image/jpeg, image/png, image/webp, image/gif")
        if isinstance(answer, Answer) and answer.body:
            return answer.body
        problem = answer.problem if isinstance(answer, Trouble) else "gave nothing"
        app.pictures_not_had[url] = (now, problem)
        return problem

    try:
        return prepare_images(
            app.root, articles, app.images, logo=app.publication.theme.logo, fetch=fetch
        )
    finally:
        for fetcher in made:
            fetcher.close()
