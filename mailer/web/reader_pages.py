"""The pages behind the links in a reader's mail: confirm, preferences, leave.

The token in the path is the key. GET and HEAD show a form and change nothing, because scanners
and previews fetch every link of a mail; POST acts. A form carries a key bound to its own token,
and is not taken from another site's page. The one exception is RFC 8058's one-click: a mail
provider's machine has no page, its post is answered with 200 and no redirect, as often as it comes,
and no bucket can be full for it. A token that is not ours is a page that does not exist; one of a
reader who was forgotten is answered like one who left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from mailer.audience.confirmations import Confirmations, Question, TokenState
from mailer.audience.preferences import LEAVING, ONE_CLICK, Preferences, Reader
from mailer.audience.tokens import Tokens, UnsubscribeClaim
from mailer.checked import is_zone
from mailer.clock import Clock
from mailer.errors import InvalidInput, NotFound
from mailer.web.doors import Access, Door
from mailer.web.formkeys import FormKeys, KeyState
from mailer.web.frame import Frame
from mailer.web.join_pages import consent_text, version_of
from mailer.web.posts import Form, is_own_page, peer_of, read_form
from mailer.web.reception import Reception
from mailer.web.zone_choices import Choices, zone_choices

T = TypeVar("T")

PAUSES = (1, 2, 4, 8, 12, 26, 52)
"""Weeks that are offered, as far as the policy allows."""


class ReaderPages:
    """The doors behind a token.

    Args:
        frame: renders.
        reception: counts the refused posts.
        keys: makes the forms' keys.
        tokens: reads the links.
        confirmations: takes the answer to a confirmation.
        preferences: takes every other choice.
        clock: the instant of a form.
        longest_pause_weeks: from the policy.
    """

    def __init__(
        self,
        frame: Frame,
        reception: Reception,
        keys: FormKeys,
        *,
        tokens: Tokens,
        confirmations: Confirmations,
        preferences: Preferences,
        clock: Clock,
        longest_pause_weeks: int,
    ) -> None:
        self._frame = frame
        self._reception = reception
        self._keys = keys
        self._tokens = tokens
        self._confirmations = confirmations
        self._preferences = preferences
        self._clock = clock
        self._regions = frame.publication.region_map
        self._versions: set[str] = set()
        self._pauses = tuple(weeks for weeks in PAUSES if weeks <= longest_pause_weeks)

    def doors(self) -> list[Door]:
        """Return the doors."""
        post = ("POST",)
        return [
            Door("/confirm/{token}", self.question, Access.TOKEN),
            Door("/confirm/{token}", self.answer, Access.TOKEN, post),
            Door("/preferences/{token}", self.choices, Access.TOKEN),
            Door("/preferences/{token}", self.choose, Access.TOKEN, post),
            Door("/unsubscribe/{token}", self.leaving, Access.TOKEN),
            Door("/unsubscribe/{token}", self.leave, Access.TOKEN, post),
            Door("/unsubscribe/{token}/undo", self.undo, Access.TOKEN, post),
            Door("/unsubscribe/{token}/reason", self.reason, Access.TOKEN, post),
        ]

    async def question(self, request: Request) -> Response:
        """Show what a confirmation is about, and the button."""
        token = request.path_params["token"]
        return self._ask(request, token, await self._do(lambda: self._look(token)))

    async def answer(self, request: Request) -> Response:
        """Take the confirmation."""
        token = request.path_params["token"]
        form = await read_form(request)
        if refusal := self._refusal(request, form, f"confirm {token}"):
            question = await self._do(lambda: self._look(token))
            return self._ask(request, token, question, notice=refusal, status=422)
        chosen = [slug for slug in form.all("region") if slug in self._regions]
        if not chosen:
            question = await self._do(lambda: self._look(token))
            return self._ask(request, token, question, notice="none", status=422)
        peer = peer_of(request)
        done = await self._do(lambda: self._confirmations.confirm(token, chosen, came_from=peer))
        if done is None:
            raise NotFound("no confirmation of that name")
        is_answered = not set(chosen).isdisjoint(done.regions)
        return self._ask(request, token, done, is_answered=is_answered)

    async def choices(self, request: Request) -> Response:
        """Show a reader's choices."""
        claim = self._claim(request)
        reader = await self._do(lambda: self._preferences.look(claim.subscriber_id))
        notice = request.query_params.get("done", "")
        notice = notice if notice in {"saved", "undo"} else ""
        return await self._show_choices(request, reader, notice=notice)

    async def choose(self, request: Request) -> Response:
        """Take a reader's choices."""
        claim = self._claim(request)
        token = request.path_params["token"]
        form = await read_form(request)
        notice = self._refusal(request, form, f"preferences {token}")
        chosen = [slug for slug in form.all("region") if slug in self._regions]
        if not notice and not chosen:
            notice = "none"
        pause = form.one("pause")
        weeks = int(pause) if pause in {"0", *map(str, self._pauses)} else None
        if not notice:
            words = self._frame.words(request)
            text = consent_text(self._frame.publication, words)
            version = version_of(text, words.tag)
            try:
                if version not in self._versions:
                    await self._do(lambda: self._reception.remember(version, text, words.tag))
                    self._versions.add(version)
                await self._do(
                    lambda: self._preferences.choose(
                        claim.subscriber_id,
                        regions=chosen,
                        name=form.one("name"),
                        pause_weeks=weeks,
                        time_zone=self._zone(form),
                        form_version=version,
                        came_from=peer_of(request),
                    )
                )
                return self._to(request, f"/preferences/{token}", done="saved")
            except InvalidInput:
                notice = "name"
        reader = await self._do(lambda: self._preferences.look(claim.subscriber_id))
        return await self._show_choices(request, reader, notice=notice, status=422)

    async def leaving(self, request: Request) -> Response:
        """Show the button for leaving."""
        claim = self._claim(request)
        reader = await self._do(lambda: self._preferences.look(claim.subscriber_id))
        return self._show_leaving(request, claim, reader)

    async def leave(self, request: Request) -> Response:
        """Leave: by a provider's one click, or by the page's button."""
        claim = self._claim(request)
        token = request.path_params["token"]
        form = await read_form(request)
        peer = peer_of(request)
        if form.one("List-Unsubscribe").strip().lower() == "one-click":
            await self._do(
                lambda: self._preferences.leave(
                    claim.subscriber_id, source=ONE_CLICK, came_from=peer
                )
            )
            return PlainTextResponse("You are unsubscribed.\n")
        if notice := self._refusal(request, form, f"leave {token}"):
            reader = await self._do(lambda: self._preferences.look(claim.subscriber_id))
            return self._show_leaving(request, claim, reader, notice=notice, status=422)
        region = form.one("only") if form.one("only") in self._regions else ""
        left = await self._do(
            lambda: self._preferences.leave(
                claim.subscriber_id, region=region, source=LEAVING, came_from=peer
            )
        )
        return self._show_left(request, left, region)

    async def undo(self, request: Request) -> Response:
        """Come back from having left by mistake."""
        claim = self._claim(request)
        token = request.path_params["token"]
        form = await read_form(request)
        if self._refusal(request, form, f"left {token}"):
            return self._to(request, f"/preferences/{token}")
        peer = peer_of(request)
        back = await self._do(lambda: self._preferences.undo(claim.subscriber_id, came_from=peer))
        return self._to(request, f"/preferences/{token}", done="undo" if back else "")

    async def reason(self, request: Request) -> Response:
        """Keep why a reader left."""
        claim = self._claim(request)
        token = request.path_params["token"]
        form = await read_form(request)
        if not self._refusal(request, form, f"left {token}"):
            words = ": ".join(part for part in (form.one("why"), form.one("more")) if part)
            await self._do(lambda: self._preferences.give_reason(claim.subscriber_id, words))
        return self._show_left(request, (), "", is_thanks=True)

    async def _do(self, act: Callable[[], T]) -> T:
        """Run what uses the database in a thread."""
        return await run_in_threadpool(act)

    def _look(self, token: str) -> Question | None:
        return self._confirmations.look(token)

    def _ask(
        self,
        request: Request,
        token: str,
        question: Question | None,
        *,
        notice: str = "",
        status: int = 200,
        is_answered: bool = False,
    ) -> Response:
        if question is None:
            raise NotFound("no confirmation of that name")
        # Who used the link may have left since, and one who left after asking is not led back.
        is_used = question.state is TokenState.USED
        is_refused = is_answered and question.state is TokenState.OPEN
        on_lists = question.confirmed or question.standing
        is_done = bool(question.confirmed) or ((is_used or is_refused) and bool(on_lists))
        state = "done" if is_done else "gone" if is_used or is_refused else question.state.value
        shown = on_lists if is_done else question.regions
        return self._frame.page(
            request,
            "confirm.html.j2",
            status=status,
            region=question.regions[0] if question.regions else "",
            state=state,
            address=masked(question.address),
            asked=[self._regions[slug] for slug in shown if slug in self._regions],
            notice=notice,
            key=self._keys.make(f"confirm {token}", self._clock.now()),
            own=self._tokens.unsubscribe(question.subscriber_id, shown[0]) if is_done else "",
        )

    async def _show_choices(
        self, request: Request, reader: Reader | None, *, notice: str = "", status: int = 200
    ) -> Response:
        token = request.path_params["token"]
        if reader is None:
            return self._show_left(request, (), "")
        return self._frame.page(
            request,
            "preferences.html.j2",
            status=status,
            token=token,
            reader=reader,
            address=masked(reader.address),
            pauses=self._pauses,
            zones=await own_zones(self._frame, request, reader),
            consent=consent_text(self._frame.publication, self._frame.words(request)),
            notice=notice,
            key=self._keys.make(f"preferences {token}", self._clock.now()),
        )

    def _show_leaving(
        self,
        request: Request,
        claim: UnsubscribeClaim,
        reader: Reader | None,
        *,
        notice: str = "",
        status: int = 200,
    ) -> Response:
        token = request.path_params["token"]
        if reader is None or not reader.regions:
            return self._show_left(request, (), "")
        one = self._regions.get(claim.region) if claim.region in reader.regions else None
        return self._frame.page(
            request,
            "leave.html.j2",
            status=status,
            region=claim.region,
            token=token,
            address=masked(reader.address),
            lists=[self._regions[slug] for slug in reader.regions if slug in self._regions],
            one=one if len(reader.regions) > 1 else None,
            notice=notice,
            key=self._keys.make(f"leave {token}", self._clock.now()),
        )

    def _show_left(
        self, request: Request, left: tuple[str, ...], region: str, *, is_thanks: bool = False
    ) -> Response:
        token = request.path_params["token"]
        return self._frame.page(
            request,
            "left.html.j2",
            token=token,
            left=[self._regions[slug] for slug in left if slug in self._regions],
            only=self._regions.get(region),
            is_thanks=is_thanks,
            key=self._keys.make(f"left {token}", self._clock.now()),
        )

    def _claim(self, request: Request) -> UnsubscribeClaim:
        claim = self._tokens.read_unsubscribe(request.path_params["token"], self._regions)
        if claim is None:
            raise NotFound("no reader's page of that name")
        return claim

    def _refusal(self, request: Request, form: Form, purpose: str) -> str:
        """Return why a form is not taken, "" when it is; a refused one is counted."""
        if not is_own_page(request, self._frame.web_url):
            self._reception.count("origin")
            return "again"
        state = self._keys.check(form.one("key"), purpose, self._clock.now())
        if state is not KeyState.GOOD:
            self._reception.count(state.value)
            return "again"
        return ""

    def _zone(self, form: Form) -> str | None:
        """Return the chosen time zone, None where nothing is to change."""
        if not self._frame.publication.audience.reader_time_zones or not form.has("time_zone"):
            return None
        asked = form.one("time_zone")
        return asked if not asked or is_zone(asked) else None

    def _to(self, request: Request, path: str, **query: str) -> Response:
        asked = request.query_params.get("lang", "")
        if asked in self._frame.languages.tags:
            query["lang"] = asked
        return RedirectResponse(self._frame.link(path, **query), 303)


async def own_zones(frame: Frame, request: Request, reader: Reader) -> Choices:
    """Return the time zones a reader may choose among; none where the publication has no such."""
    if not frame.publication.audience.reader_time_zones:
        return ()
    # A language's first list takes a third of a second, in which nobody else would be answered.
    return await run_in_threadpool(zone_choices, frame.words(request).locale, reader.time_zone)


def masked(address: str) -> str:
    """Return an address as its owner knows it again and a stranger with the mail does not."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}"
