"""One render per edition: issue, region and articles in, an ``Edition`` with slots out.

Pure: everything comes in as values. The reader's fields are rendered as tokens (see
``placeholders``) and the output is split at them, so that no article can imitate one. The
same issue gives the same segments, and therefore the same checksum, however often it is rendered.

What is shown: the first pick of the first section is the lead. A region gets its own block, or
the nearest parent's when it has none, with its first story's picture; a piece is shown once. The
diary is the issue's list, less what is past when the region's edition leaves and what belongs to
other regions. Under a headline stands the standfirst or the first words; a piece without an address
is shown at greater length. A picture is shown from our own server or not at all.

Failures: an issue that names an article nobody handed in, and every template mistake, raise
``RenderFailed`` with a line to act on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from mailer.articles.article import Article, DiaryEntry, Kind
from mailer.articles.cleaning import markdown_to_html
from mailer.editions import text
from mailer.editions.colours import palettes
from mailer.editions.diary_views import diary_views
from mailer.editions.edition import Edition
from mailer.editions.mjml import to_html
from mailer.editions.pictures import PreparedImage, PreparedPicture
from mailer.editions.placeholders import ReaderTokens
from mailer.editions.prose import plain
from mailer.editions.templates import BODY, TEXT, TemplateSet
from mailer.editions.viewmodel import (
    DiaryView,
    EditionView,
    Image,
    IssueView,
    OpeningView,
    PublicationView,
    QuoteView,
    RegionView,
    SectionView,
    Story,
    SupportView,
    ThemeView,
)
from mailer.editions.wording import Wording
from mailer.errors import Fault, RenderFailed
from mailer.issues.issue import Issue, Pick, RegionBlock
from mailer.localtime import send_at
from mailer.publication import Publication, Region

PREHEADER_LENGTH = 110
QUESTIONS = 3
"""So many of an interview's questions stand under its headline."""


def render_edition(
    issue: Issue,
    *,
    region: Region,
    publication: Publication,
    articles: Mapping[str, Article],
    diary: Sequence[DiaryEntry],
    images: Mapping[str, PreparedPicture],
    web_url: str,
    templates: TemplateSet,
) -> Edition:
    """Render an issue for one region.

    Args:
        articles: by id; every pick of the issue must be there.
        diary: entries to choose from; one the issue lists and nobody hands in is left out.
        images: by ``Picture.src``, as ``prepare_images`` returns them; a picture that is missing
            is left out.
        web_url: our own https address without a slash; pictures are served below it.
    Raises:
        RenderFailed: with every fault.
    """
    _refuse_unknown(issue, articles, publication)
    tokens = ReaderTokens()
    wording = Wording(templates.languages.spoken(region.language or publication.language))
    builder = _Builder(issue, region, publication, articles, images, web_url, wording)
    view = builder.view(diary, tokens)
    values = view.values()
    where = templates.path(BODY)
    html = tokens.split(to_html(templates.body(values), where=where), where=where)
    words = tokens.split(_tidy(templates.text(values)), where=templates.path(TEXT))
    subject = templates.subject(values)
    if tokens.is_in(subject) or tokens.is_in(view.issue.preheader):
        raise RenderFailed(
            Fault(
                "the subject names a field of the reader",
                where=templates.path("subject.txt.j2"),
                remedy="the subject is the same for everybody; remove reader.…",
            )
        )
    return Edition(
        issue_id=issue.id,
        region=region.slug,
        language=view.language,
        subject=subject,
        preheader=view.issue.preheader,
        html=html,
        text=words,
        article_ids=_shown(view),
        greetings=wording.greetings,
    )


def _refuse_unknown(
    issue: Issue,
    articles: Mapping[str, Article],
    publication: Publication,
) -> None:
    where = f"issues/{issue.id}.md"
    blocks = {f"sections.{slug}": picks for slug, picks in issue.sections.items()}
    blocks |= {f"regions.{slug}.picks": block.picks for slug, block in issue.regions.items()}
    faults = [
        Fault(
            f"there is no article {pick.article_id!r}",
            where=where,
            field=field,
            remedy="`mailer articles` lists them",
        )
        for field, picks in blocks.items()
        for pick in picks
        if pick.article_id not in articles
    ]
    slugs = {section.slug for section in publication.sections}
    faults += [
        Fault(
            f"the publication has no section {slug!r}",
            where=where,
            field=f"sections.{slug}",
            remedy=f"use one of {', '.join(sorted(slugs))}",
        )
        for slug in issue.sections
        if slug not in slugs
    ]
    if faults:
        raise RenderFailed(faults)


@dataclass
class _Builder:
    """Makes the view; holds what has been shown so that nothing is shown twice."""

    issue: Issue
    region: Region
    publication: Publication
    articles: Mapping[str, Article]
    images: Mapping[str, PreparedPicture]
    web_url: str
    wording: Wording

    def __post_init__(self) -> None:
        self._used: dict[str, int] = {}

    def view(self, diary: Sequence[DiaryEntry], tokens: ReaderTokens) -> EditionView:
        publication = self.publication
        theme = publication.theme
        light, dark = palettes(theme)
        sections, lead = self._sections()
        region = self._region_block(tokens)
        shown = [story for section in sections for story in section.contents]
        opening = markdown_to_html(self.issue.opening)
        columnist = text.one_line(self.issue.columnist or publication.columnist)
        last = plain(opening).rsplit("\n", 1)[-1].strip(" -–—")
        return EditionView(
            language=self.wording.words.tag,
            direction=self.wording.words.direction,
            start="left" if self.wording.words.direction == "ltr" else "right",
            publication=self._publication(),
            issue=IssueView(
                id=self.issue.id,
                number=self.issue.number,
                subject=text.one_line(self.issue.subject),
                preheader=self._preheader(shown),
                date=self.wording.long_date(self.issue.date),
            ),
            opening=OpeningView(
                title=text.one_line(self.issue.opening_title or publication.column_title),
                # Many columnists sign by hand; one signature is enough.
                author="" if last.casefold() == columnist.casefold() else columnist,
                html=opening,
            ),
            lead=lead,
            sections=sections,
            region=region,
            diary=self._diary(diary),
            quote=QuoteView(
                text.one_line(self.issue.quote), text.one_line(self.issue.quote_source)
            ),
            support=SupportView(
                title=text.one_line(publication.support.title),
                paragraphs=tuple(text.paragraphs(publication.support.text)),
                label=text.one_line(publication.support.label) or self.wording.appeal,
                url=text.safe_url(publication.support.url),
            ),
            credits=self._credits([*shown, *region.stories]),
            lead_credits=self._credits(shown[:1]),
            region_credits=self._credits(region.stories),
            light=light,
            dark=dark,
            theme=ThemeView(
                font=theme.font,
                head=theme.heading_font or theme.font,
                sans=theme.small_font,
                radius=theme.radius,
                button_radius=theme.button_radius,
            ),
            reader=tokens.reader(),
            say=self.wording.words.gettext,
        )

    def _publication(self) -> PublicationView:
        publication = self.publication
        logo = self.images.get(publication.theme.logo) if publication.theme.logo else None
        return PublicationView(
            title=publication.title,
            tagline=publication.tagline,
            publisher=publication.publisher or publication.title,
            postal_address=publication.postal_address,
            website=text.safe_url(publication.website),
            contact=publication.contact,
            why=publication.why_you_get_this,
            logo=self._image(logo.lead, publication.theme.logo_alt or publication.title)
            if logo
            else None,
        )

    def _sections(self) -> tuple[tuple[SectionView, ...], Story | None]:
        lead: Story | None = None
        views: list[SectionView] = []
        for section in self.publication.sections:
            stories = self._stories(self.issue.sections.get(section.slug, ()), is_first=not views)
            if not stories:
                continue
            is_lead = lead is None
            lead = lead or stories[0]
            title = text.one_line(section.title)
            # "Analysis" over every story of the section Analysis would say nothing.
            told = tuple(
                replace(story, label="", kicker=self._due(self.articles[story.article_id]))
                if story.label.casefold() == title.casefold()
                else story
                for story in stories
            )
            stories = told[1:] if is_lead else told
            views.append(SectionView(title, stories, told, look=section.look))
        return tuple(views), lead

    def _stories(self, picks: Sequence[Pick], *, is_first: bool = False) -> tuple[Story, ...]:
        stories: list[Story] = []
        for pick in picks:
            if pick.article_id in self._used:
                continue
            number = len(self._used) + 1
            self._used[pick.article_id] = number
            stories.append(self._story(pick, number, is_large=is_first and not stories))
        return tuple(stories)

    def _story(self, pick: Pick, number: int, *, is_large: bool) -> Story:
        article, wording = self.articles[pick.article_id], self.wording
        url = text.safe_url(article.url)
        due = wording.day_and_month(article.deadline) if article.deadline else ""
        label = wording.label(article.kind)
        byline = wording.names(article.authors)
        minutes = wording.minutes(text.minutes_to_read(article)) if url else ""
        is_interview = article.kind is Kind.INTERVIEW
        return Story(
            number=number,
            article_id=article.id,
            headline=text.one_line(pick.headline or article.title),
            byline=byline,
            paragraphs=text.article_text(article, standfirst=pick.standfirst, has_link=bool(url)),
            url=url,
            label=label,
            button=wording.button(article.kind),
            due=due,
            kicker=wording.both(label, self._due(article)),
            signature=wording.both(wording.by(byline), minutes),
            image=self._picture(article, pick, is_large=is_large),
            is_interview=is_interview,
            questions=tuple(text.one_line(part) for part in article.parts[:QUESTIONS])
            if is_interview
            else (),
            standfirst=text.one_line(pick.standfirst or article.standfirst),
            html=article.body_html,
        )

    def _due(self, article: Article) -> str:
        return self.wording.due(article.deadline) if article.deadline else ""

    def _picture(self, article: Article, pick: Pick, *, is_large: bool) -> Image | None:
        picture = pick.picture_of(article)
        prepared = self.images.get(picture.src) if picture else None
        if picture is None or prepared is None:
            return None
        image = self._image(prepared.lead if is_large else prepared.thumb, picture.alt or "")
        return replace(
            image,
            caption=text.one_line(picture.caption),
            credit=text.one_line(picture.credit),
            licence=text.one_line(picture.licence),
        )

    def _image(self, prepared: PreparedImage, alt: str) -> Image:
        url = f"{self.web_url}/images/{prepared.name}"
        return Image(url=url, alt=text.one_line(alt), width=prepared.width, height=prepared.height)

    def _region_block(self, tokens: ReaderTokens) -> RegionView:
        ladder = self.publication.ladder(self.region.slug)
        blocks = {slug: self.issue.regions.get(slug, RegionBlock()) for slug in ladder}
        picked = next((slug for slug in ladder if blocks[slug].picks), "")
        holder = (blocks[picked].lent_from or picked) if picked else ""
        # A parent's note speaks to the parent's readers: it stands where its block stands in.
        shown = (self.region.slug, holder) if picked else ladder
        noted = next((slug for slug in shown if slug in blocks and blocks[slug].note.strip()), "")
        holder = holder or noted or self.region.slug
        name = text.one_line(self.publication.region(holder).name)
        stories = self._stories(blocks[picked].picks, is_first=True) if picked else ()
        again = (
            {pick.article_id for pick in blocks[picked].picks if pick.follow_up} if picked else ()
        )
        # Only here can a reader meet a story again: by having moved from a list that had it.
        stories = tuple(
            story if story.article_id in again else _edged(story, tokens)
            for story in _first_pictured(stories)
        )
        start, end = "", ""
        contact = self.region.group_contact
        if stories and not (noted or contact or again):
            start, end = tokens.edges([story.article_id for story in stories])
        return RegionView(
            name=text.one_line(self.region.name),
            title=name,
            is_own=holder == self.region.slug,
            note_html=markdown_to_html(blocks[noted].note) if noted else "",
            stories=stories,
            contact=contact,
            start=start,
            end=end,
        )

    def _diary(self, entries: Sequence[DiaryEntry]) -> tuple[DiaryView, ...]:
        leaves = send_at(self.publication, self.region, self.issue.date)
        return diary_views(
            entries,
            listed=self.issue.diary,
            ladder=self.publication.ladder(self.region.slug),
            leaves_at=leaves.astimezone(ZoneInfo(self.region.time_zone)).replace(tzinfo=None),
            wording=self.wording,
            web_url=self.web_url,
        )

    def _credits(self, stories: Sequence[Story]) -> tuple[str, ...]:
        shown: dict[str, list[str]] = {}
        for story in stories:
            image = story.image
            credit = self.wording.both(image.credit, image.licence) if image else ""
            if credit:
                shown.setdefault(credit, []).append(story.headline)
        return tuple(f"{credit} ({'; '.join(headlines)})" for credit, headlines in shown.items())

    def _preheader(self, shown: Sequence[Story]) -> str:
        words = text.one_line(self.issue.preheader)
        if words:
            return words
        # Without one an inbox would show the first words it finds, the links at the top.
        line = ". ".join(story.headline.rstrip(".") for story in shown[1:4] or shown)
        if len(line) <= PREHEADER_LENGTH:
            return line or self.publication.tagline
        return line[:PREHEADER_LENGTH].rsplit(" ", 1)[0].rstrip(",;:.") + "…"


def _edged(story: Story, tokens: ReaderTokens) -> Story:
    start, end = tokens.edges([story.article_id])
    return replace(story, start=start, end=end)


def _first_pictured(stories: tuple[Story, ...]) -> tuple[Story, ...]:
    """Return a region's stories with one picture among them: it stands over the first."""
    return (*stories[:1], *(replace(story, image=None) for story in stories[1:]))


def _shown(view: EditionView) -> tuple[str, ...]:
    stories = [story for section in view.sections for story in section.contents]
    return tuple(story.article_id for story in [*stories, *view.region.stories])


def _tidy(words: str) -> str:
    lines = [line.rstrip() for line in words.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
