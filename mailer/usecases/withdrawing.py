"""An article taken in by mistake is taken out again, while no reader has it and no issue needs it.

What was sent stays: the archive shows it, and that nobody gets it twice is told by its id. What an
issue that is still to go out names stays until the editor has taken it out of the issue. Nothing is
lost for good: ingesting the file again brings the article back, as a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailer.app import App
from mailer.articles.article import Article
from mailer.errors import Fault, IllegalTransition, InvalidInput, NotFound
from mailer.issues.exposure import earlier_exposures
from mailer.issues.issue import IssueState

_OVER = frozenset({IssueState.SENT, IssueState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An article that may be taken out, what goes with it, and where it would come from again.

    ``diary`` are the ids of the entries that it announced; ``origins`` its files, pages and feeds,
    as the library calls them.
    """

    article: Article
    diary: tuple[str, ...]
    origins: tuple[str, ...]


def consider(app: App, name: str) -> Withdrawal:
    """Find an article that may be taken out.

    Raises:
        NotFound: there is none of this name.
        IllegalTransition: readers have it, or an issue that is not sent names it.
    """
    article = app.library.article(name)
    diary = app.library.announced(article.id)
    if shown := earlier_exposures(app.database, {article.id}, besides="").get(article.id):
        issues = ", ".join(dict.fromkeys(each.issue_id for each in shown))
        raise IllegalTransition(
            Fault(
                f"{article.id} was sent in {issues} and stays",
                remedy=f"`mailer issue amend {shown[-1].issue_id}` sets right what readers have",
            )
        )
    for record in app.desk.issues():
        if record.state in _OVER:
            continue
        if named := _named(app, record.id, (article.id, *diary)):
            raise IllegalTransition(
                Fault(
                    f"issue {record.id}, which is not sent, names {named}",
                    remedy=f"take it out of {app.desk.path(record.id).name}, then drop it",
                )
            )
    origins = tuple(row["origin"] for row in app.library.origins(article.id))
    return Withdrawal(article, diary, origins)


def withdraw(app: App, name: str) -> Withdrawal:
    """Take an article out, with its versions and the diary entries that it announced.

    Raises:
        NotFound, IllegalTransition: as ``consider``.
    """
    # At once: a draft that the schedule makes meanwhile may name it.
    with app.database.write():
        found = consider(app, name)
        app.library.remove(found.article.id)
    return found


def _named(app: App, issue_id: str, wanted: tuple[str, ...]) -> str:
    """Return the first id of those wanted that an issue names, "" when it names none."""
    try:
        issue = app.desk.load(issue_id)
    except InvalidInput:
        # A file that cannot be read may still mean it: the editor is to look.
        text = app.desk.text(issue_id)
        return next((each for each in wanted if each in text), "")
    except NotFound:
        return ""
    return next((each for each in wanted if each in {*issue.article_ids, *issue.diary}), "")
