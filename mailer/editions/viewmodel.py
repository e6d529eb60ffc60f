"""What a template sees: the issue for one region, ready to print.

Templates get values that need no decision any more: which stories, in what order, which words
under each headline, which picture in which size. ``templates/README.md`` lists every name.
Single-line values hold no line breaks; addresses are checked; the reader's own fields appear as
opaque tokens that rendering replaces by slots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mailer.editions.colours import Palette


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in the size it is shown at; ``alt`` is "" for a decorative one."""

    url: str
    alt: str
    width: int
    height: int
    caption: str = ""
    credit: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """One article in its place.

    ``number`` is its place in the contents, ``paragraphs`` what stands under the headline,
    ``standfirst`` and ``html`` the whole piece (print it with ``prose``). ``label`` is the kind
    where it is worth saying, ``due`` a deadline such as ``Friday 4 December``, ``kicker`` both for
    the line over the headline. ``byline`` has the names, ``signature`` adds the time to read the
    whole piece. ``questions`` are an interview's first. ``url`` is "" where there is no page to go
    to; the text is then shown here. ``start`` and ``end`` are marks to print around it: a reader
    who was sent it before gets the rest without it; "" where every reader gets it.
    """

    number: int
    article_id: str
    headline: str
    byline: str
    paragraphs: tuple[str, ...]
    url: str = ""
    label: str = ""
    button: str = ""
    due: str = ""
    kicker: str = ""
    signature: str = ""
    image: Image | None = None
    start: str = ""
    end: str = ""
    is_interview: bool = False
    questions: tuple[str, ...] = ()
    standfirst: str = ""
    html: str = ""


def _is_plain(story: Story) -> bool:
    return story.image is None and not story.is_interview


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section that has stories; ``stories`` leaves the lead out, ``contents`` has it.

    ``look`` is ``stories`` or ``list``, as the publication says it.
    """

    title: str
    stories: tuple[Story, ...]
    contents: tuple[Story, ...]
    look: str = "stories"

    @property
    def runs(self) -> tuple[tuple[Story, ...], ...]:
        """Return the stories in runs: plain neighbours together, others each alone.

        Plain is what has no picture and is no interview.
        """
        runs: list[list[Story]] = []
        for story in self.stories:
            if runs and _is_plain(story) and _is_plain(runs[-1][0]):
                runs[-1].append(story)
            else:
                runs.append([story])
        return tuple(tuple(run) for run in runs)


@dataclass(frozen=True, slots=True)
class RegionView:
    """The reader's own region; ``note_html`` is the editor's note as HTML.

    ``start`` and ``end`` are marks around the whole block where it holds nothing but stories, like
    those of a story.
    """

    name: str
    title: str
    is_own: bool
    note_html: str = ""
    stories: tuple[Story, ...] = ()
    contact: str = ""
    start: str = ""
    end: str = ""

    @property
    def has_content(self) -> bool:
        """Say whether there is anything to show."""
        return bool(self.note_html or self.stories or self.contact)


@dataclass(frozen=True, slots=True)
class DiaryView:
    """A dated happening: ``day`` and ``month`` for its date tile, ``when`` in words.

    ``time`` may have an end ("7.30pm to 9pm"), ``span`` says of several days the last and of what
    repeats how often. ``calendar_url`` is a file that a calendar reads; ``calendar_label`` are the
    words of the link to it, and no two are the same.
    """

    title: str
    when: str
    weekday: str
    day: int
    month: str
    time: str = ""
    span: str = ""
    place: str = ""
    url: str = ""
    calendar_url: str = ""
    calendar_label: str = ""


@dataclass(frozen=True, slots=True)
class OpeningView:
    """The columnist's opening."""

    title: str
    author: str
    html: str


@dataclass(frozen=True, slots=True)
class IssueView:
    """The issue's own line in the masthead."""

    id: str
    number: int
    subject: str
    preheader: str
    date: str


@dataclass(frozen=True, slots=True)
class QuoteView:
    """The quotation of the week; ``text`` is "" when there is none."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class SupportView:
    """The appeal; ``title`` is "" when there is none."""

    title: str
    paragraphs: tuple[str, ...]
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PublicationView:
    """Who publishes, as the masthead and the footer say it."""

    title: str
    tagline: str
    publisher: str
    postal_address: str
    website: str
    contact: str
    why: str
    logo: Image | None


@dataclass(frozen=True, slots=True)
class ThemeView:
    """Fonts and corners: ``font`` is for reading, ``head`` for titles, ``sans`` for the rest.

    ``radius`` and ``button_radius`` are in pixels.
    """

    font: str
    head: str
    sans: str
    radius: int
    button_radius: int


@dataclass(frozen=True, slots=True)
class ReaderView:
    """The reader's fields; every value is a token that becomes a slot.

    ``field(name, default=…)`` gives the token of a roster's field.
    """

    name: str
    greeting: str
    address: str
    unsubscribe_url: str
    preferences_url: str
    view_online_url: str
    field: Callable[..., str]


@dataclass(frozen=True, slots=True)
class EditionView:
    """Everything a template may name at its top level.

    ``credits`` are of all pictures, the other two of the lead's and of the region's alone.
    """

    language: str
    direction: str
    start: str
    publication: PublicationView
    issue: IssueView
    opening: OpeningView
    lead: Story | None
    sections: tuple[SectionView, ...]
    region: RegionView
    diary: tuple[DiaryView, ...]
    quote: QuoteView
    support: SupportView
    credits: tuple[str, ...]
    lead_credits: tuple[str, ...]
    region_credits: tuple[str, ...]
    light: Palette
    dark: Palette
    theme: ThemeView
    reader: ReaderView
    say: Callable[[str], str]

    def values(self) -> dict[str, object]:
        """Return the names a template may use, with their values; ``_`` is ``say``."""
        named = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**named, "rest": self.rest, "_": self.say}

    @property
    def rest(self) -> tuple[Story, ...]:
        """Return every story of the sections but the lead."""
        return tuple(story for section in self.sections for story in section.stories)
