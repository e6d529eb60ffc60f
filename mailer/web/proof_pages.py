"""The pages behind the links of a proof: they show what a reader would see, and change nothing.

A proof's links lead to the same addresses as a reader's, with a token of its own kind. ``before``
puts a look at the token before each of the reader's doors: a proof's is answered here, by GET with
the reader's page of somebody who does not exist, by POST (a provider's one click, too) with the
sentence that nothing was changed. Nothing here has a way to change anything. ``/proof/{token}``
shows the edition as its file is now; whoever has the proof has read it already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from mailer.audience.preferences import Reader
from mailer.audience.subscriber import SubscriptionState
from mailer.audience.tokens import ProofClaim, Tokens
from mailer.delivery.frozen import FrozenEdition
from mailer.errors import NotFound
from mailer.usecases.shelf import Links, as_html
from mailer.web.doors import Access, Door, Endpoint
from mailer.web.frame import Frame
from mailer.web.join_pages import consent_text
from mailer.web.past_pages import ISSUE_POLICY, on_the_site
from mailer.web.posts import read_form
from mailer.web.reader_pages import own_zones

SAMPLE_ADDRESS = "a…@reader.example"
NOTHING_CHANGED = "This is a proof; nothing was changed.\n"
_OWN_PAGES = ("/preferences/{token}", "/unsubscribe/{token}")


class ProofPages:
    """Answers for proofs.

    Args:
        frame: renders.
        tokens: reads the links.
        look: returns an edition as it is now.
    """

    def __init__(
        self, frame: Frame, tokens: Tokens, look: Callable[[str, str], FrozenEdition]
    ) -> None:
        self._frame = frame
        self._tokens = tokens
        self._look = look
        self._regions = frame.publication.region_map
        self._bar_style = frame.sheet("issue_bar.css.j2")

    def doors(self) -> list[Door]:
        """Return the doors of its own."""
        return [Door("/proof/{token}", self.edition, Access.TOKEN)]

    def before(self, doors: Iterable[Door]) -> list[Door]:
        """Return doors that answer a proof's token here, and every other as before."""
        return [
            replace(door, endpoint=self._first(door)) if door.path.startswith(_OWN_PAGES) else door
            for door in doors
        ]

    def _first(self, door: Door) -> Endpoint:
        async def answer(request: Request) -> Response:
            claim = self._tokens.read_proof(request.path_params["token"], self._regions)
            if claim is None:
                return await door.endpoint(request)  # type: ignore[misc, no-any-return]
            if "GET" in door.methods:
                return await self._shown(request, claim, door.path)
            return await self._nothing_changed(request, claim)

        return answer

    async def edition(self, request: Request) -> Response:
        """Show an edition as its file is now."""
        claim = self._tokens.read_proof(request.path_params["token"], self._regions)
        if claim is None:
            raise NotFound("no proof of that name")
        frozen = await run_in_threadpool(self._look, claim.issue_id, claim.region)
        token = request.path_params["token"]
        page = as_html(
            frozen,
            Links(
                view_online_url=self._frame.link(f"/proof/{token}"),
                preferences_url=self._frame.link(f"/preferences/{token}"),
                unsubscribe_url=self._frame.link(f"/unsubscribe/{token}"),
            ),
            address=SAMPLE_ADDRESS,
            images=self._frame.link("/images/"),
        )
        words = self._frame.words(request, claim.region)
        bar = self._frame.fragment(request, "proof_bar.html.j2", words)
        return HTMLResponse(
            on_the_site(page, bar=bar, style=self._bar_style),
            headers={
                "Content-Security-Policy": ISSUE_POLICY,
                "Content-Language": frozen.edition.language,
            },
        )

    async def _shown(self, request: Request, claim: ProofClaim, path: str) -> Response:
        place = self._regions[claim.region]
        values = {
            "token": request.path_params["token"],
            "address": SAMPLE_ADDRESS,
            "notice": "proof",
            "key": "",
        }
        if path == "/unsubscribe/{token}":
            return self._frame.page(
                request, "leave.html.j2", region=place.slug, lists=[place], one=None, **values
            )
        reader = Reader(
            id=0,
            address=SAMPLE_ADDRESS,
            name="Ada Reader",
            states={place.slug: SubscriptionState.CONFIRMED},
        )
        return self._frame.page(
            request,
            "preferences.html.j2",
            region=place.slug,
            reader=reader,
            pauses=(1, 2, 4),
            zones=await own_zones(self._frame, request, reader),
            consent=consent_text(self._frame.publication, self._frame.words(request, place.slug)),
            **values,
        )

    async def _nothing_changed(self, request: Request, claim: ProofClaim) -> Response:
        form = await read_form(request)
        if form.one("List-Unsubscribe").strip().lower() == "one-click":
            return PlainTextResponse(NOTHING_CHANGED)
        return self._frame.page(
            request, "proof.html.j2", region=claim.region, token=request.path_params["token"]
        )
