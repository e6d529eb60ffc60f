"""The pages for joining: the form, what it proposes, and "look into your mail".

``GET /join`` and ``/join/{region}`` show the form. ``POST /join`` takes it. ``POST /join/{region}``
is where a form on the publisher's own website leads: a page elsewhere has no key of ours and its
browser says so, therefore that post acts on nothing; it shows our form, filled in, and one more
press is the wish. Texts, keys and limits are ours alone then, wherever the reader came from.

Every address that can be one gets the same answer after the same work: the post is written down,
whoever it is (see ``audience/signups``). What is hostile is counted and leaves nothing else: a
filled trap, a forged key, a foreign page, too many. A trap or a full bucket of an address or a
domain is answered like any post, so that it teaches nothing; a full bucket of the asker's own
network says "too often".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mailer.audience.addresses import clean_name, normalise
from mailer.audience.places import propose_region
from mailer.audience.signups import SignUp
from mailer.clock import Clock
from mailer.errors import InvalidInput, NotFound
from mailer.languages import Words
from mailer.policies import SignUpLimits
from mailer.publication import Publication
from mailer.web.buckets import Buckets, network_of
from mailer.web.doors import Access, Door
from mailer.web.formkeys import SHORTEST_FILL, FormKeys, KeyState
from mailer.web.frame import Frame
from mailer.web.posts import Form, is_own_page, peer_of, read_form
from mailer.web.reception import Reception

TRAP = "website"
"""A field that people do not see and programs fill in."""

PURPOSE = "join"
NO_STORE = {"Cache-Control": "no-store"}
_LINK = re.compile(r"://|www\.|@|[<>]", re.IGNORECASE)


@dataclass
class _Filled:
    """A form as it is shown: what was typed, and what is wrong with it."""

    address: str = ""
    name: str = ""
    chosen: tuple[str, ...] = ()
    place: str = ""
    source: str = "page"
    notice: str = ""
    wrong: dict[str, str] = field(default_factory=dict)


class Limits:
    """The buckets of sign-ups."""

    def __init__(self, limits: SignUpLimits) -> None:
        self.network = Buckets(limits.per_network)
        self.address = Buckets(limits.per_address)
        self.domain = Buckets(limits.per_domain)
        self.overall = Buckets(limits.overall)


class JoinPages:
    """The doors for joining.

    Args:
        frame: renders.
        reception: takes the posts and counts the refused ones.
        keys: makes the forms' keys.
        clock: how long a form was open.
        limits: how many an hour.
    """

    def __init__(
        self,
        frame: Frame,
        reception: Reception,
        keys: FormKeys,
        clock: Clock,
        limits: SignUpLimits,
    ) -> None:
        self._frame = frame
        self._reception = reception
        self._keys = keys
        self._clock = clock
        self._limits = Limits(limits)
        self._regions = frame.publication.region_map
        self._versions: set[str] = set()

    def doors(self) -> list[Door]:
        """Return the doors."""
        return [
            Door("/join", self.form, Access.PAGE),
            Door("/join", self.take, Access.PAGE, ("POST",)),
            Door("/join/{region}", self.form, Access.PAGE),
            Door("/join/{region}", self.wish, Access.PAGE, ("POST",)),
            Door("/check-your-mail", self.check_mail, Access.PAGE),
        ]

    async def form(self, request: Request) -> Response:
        """Show the form, with the region of the address or of the place ticked."""
        region = self._region(request)
        place = request.query_params.get("place", "").strip()[:80]
        proposed = propose_region(place, self._regions.values())
        chosen = (proposed or region,) if proposed or region else ()
        return self._show(request, _Filled(chosen=chosen, place=place), region=region)

    async def wish(self, request: Request) -> Response:
        """Show the form filled in with what a form elsewhere sent; nothing is kept."""
        region = self._region(request)
        form = await read_form(request)
        if not self._limits.network.take(self._network(request), self._clock.monotonic()):
            return self._too_often(request, "network")
        filled = _Filled(
            address=form.one("address").strip()[:254],
            name=form.one("name").strip()[:200],
            chosen=(region,),
            source="embedded",
            notice="wish",
        )
        return self._show(request, filled, region=region)

    async def take(self, request: Request) -> Response:
        """Take the form."""
        form = await read_form(request)
        now_s = self._clock.monotonic()
        if not self._limits.network.take(self._network(request), now_s):
            return self._too_often(request, "network")
        if not is_own_page(request, self._frame.web_url):
            self._reception.count("origin")
            return self._show(request, self._typed(form, "again"), status=403)
        if not self._limits.overall.take("", now_s):
            return self._too_often(request, "overall")
        if form.one(TRAP):
            self._reception.count("trap")
            return self._thanks(request)
        state = self._keys.check(
            form.one("key"), PURPOSE, self._clock.now(), shortest=SHORTEST_FILL
        )
        if state is not KeyState.GOOD:
            self._reception.count(state.value)
            notice = "quick" if state is KeyState.QUICK else "again"
            key = form.one("key") if state is KeyState.QUICK else ""
            return self._show(request, self._typed(form, notice), status=422, key=key)
        words = self._frame.words(request)
        post, wrong = self._checked(form, words, peer_of(request))
        if post is None:
            filled = self._typed(form, "")
            filled.wrong = wrong
            return self._show(request, filled, status=422)
        domain = post.address.rpartition("@")[2]
        for name, buckets, key in (
            ("address", self._limits.address, post.address),
            ("domain", self._limits.domain, domain),
        ):
            if not buckets.take(key, now_s):
                self._reception.count(name)
                return self._thanks(request)
        if post.form_version not in self._versions:
            await run_in_threadpool(
                self._reception.remember,
                post.form_version,
                consent_text(self._frame.publication, words),
                words.tag,
            )
            self._versions.add(post.form_version)
        await self._reception.take(post)
        return self._thanks(request)

    async def check_mail(self, request: Request) -> Response:
        """Say that a mail is on its way; the same to everybody."""
        return self._frame.page(request, "check_mail.html.j2")

    def _checked(self, form: Form, words: Words, peer: str) -> tuple[SignUp | None, dict[str, str]]:
        _ = words.gettext
        wrong: dict[str, str] = {}
        address = name = ""
        try:
            address = normalise(form.one("address"))
        except InvalidInput:
            wrong["address"] = _("This is not a mail address; it should read name@domain.")
        try:
            name = clean_name(form.one("name"))
        except InvalidInput:
            wrong["name"] = _("Write a name of at most 200 letters, without special signs.")
        if _LINK.search(name):
            wrong["name"] = _("Write only your name here, no addresses.")
        regions = tuple(dict.fromkeys(s for s in form.all("region") if s in self._regions))
        if not regions:
            wrong["region"] = _("Choose at least one edition.")
        if wrong:
            return None, wrong
        return SignUp(
            address=address,
            regions=regions,
            at=self._clock.now(),
            name=name,
            language=words.tag,
            source="embedded" if form.one("source") == "embedded" else "page",
            form_version=version_of(consent_text(self._frame.publication, words), words.tag),
            came_from=peer,
        ), {}

    def _typed(self, form: Form, notice: str) -> _Filled:
        return _Filled(
            address=form.one("address")[:254],
            name=form.one("name")[:200],
            chosen=tuple(slug for slug in form.all("region") if slug in self._regions),
            source="embedded" if form.one("source") == "embedded" else "page",
            notice=notice,
        )

    def _show(
        self,
        request: Request,
        filled: _Filled,
        *,
        status: int = 200,
        region: str = "",
        key: str = "",
    ) -> Response:
        headers: Mapping[str, str] = NO_STORE
        return self._frame.page(
            request,
            "join.html.j2",
            status=status,
            region=region,
            headers=headers,
            filled=filled,
            own=self._regions.get(region),
            found=self._regions.get(filled.chosen[0]) if filled.place and filled.chosen else None,
            consent=consent_text(self._frame.publication, self._frame.words(request, region)),
            key=key or self._keys.make(PURPOSE, self._clock.now()),
            trap=TRAP,
        )

    def _thanks(self, request: Request) -> Response:
        asked = request.query_params.get("lang", "")
        lang = asked if asked in self._frame.languages.tags else ""
        return RedirectResponse(
            self._frame.link("/check-your-mail", lang=lang), 303, headers=NO_STORE
        )

    def _too_often(self, request: Request, why: str) -> Response:
        self._reception.count(why)
        return self._frame.page(
            request,
            "error.html.j2",
            status=429,
            headers={"Retry-After": "600", **NO_STORE},
            error_status=429,
        )

    def _region(self, request: Request) -> str:
        slug = str(request.path_params.get("region", ""))
        if slug and slug not in self._regions:
            raise NotFound("no region of that name")
        return slug

    def _network(self, request: Request) -> str:
        return network_of(peer_of(request))


def consent_text(publication: Publication, words: Words) -> str:
    """Return the sentence that a reader agrees to, in their language."""
    return words.gettext(
        "I want to get %(title)s from %(publisher)s by email, for the regions I ticked. "
        "I can leave with one click at any time."
    ) % {
        "title": publication.title,
        "publisher": publication.publisher or publication.title,
    }


def version_of(text: str, tag: str) -> str:
    """Return the name under which the text of a form is remembered."""
    return f"{tag}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
