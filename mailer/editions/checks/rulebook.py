"""Every finding that preflight can make: its code, its level, what it means, what to do.

The one list: a check names a code, and the level comes from here, so that no fault is an error in
one place and a warning in another. ``docs/preflight.md`` is written from it by ``tools/rules.py``,
and a test compares the two. A code is for ever: scripts and accepted-findings files hold on to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailer.editions.finding import Finding, Level

_E, _W, _N = Level.ERROR, Level.WARNING, Level.NOTE


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for; ``remedy`` is the general one, a finding may know better."""

    level: Level
    about: str
    finds: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Hit:
    """What a check found, before its place is known.

    ``where`` and ``line`` are filled in where the check knows the place; else ``article`` or
    ``setting`` names it, or ``clue`` is a text by which it can be looked up; ``is_template`` where
    only a template can hold it.
    """

    code: str
    message: str
    remedy: str = ""
    where: str = ""
    line: int | None = None
    article: str = ""
    setting: str = ""
    clue: str = ""
    is_template: bool = False


def _rules(about: str, *rows: tuple[str, Level, str, str]) -> dict[str, Rule]:
    return {code: Rule(level, about, finds, remedy) for code, level, finds, remedy in rows}


def found(code: str, message: str, *, remedy: str = "", where: str = "") -> Finding:
    """Return a finding of something that concerns no one edition, at the code's own level."""
    rule = RULES[code]
    return Finding(rule.level, code, message, remedy=remedy or rule.remedy, where=where)


RULES: dict[str, Rule] = {
    **_rules(
        "Size",
        ("html-too-large", _E, "the HTML has over 100 kB encoded, and Gmail cuts it off",
         "show fewer stories or a shorter opening"),
        ("html-large", _W, "the HTML comes near the size at which Gmail cuts it off",
         "leave it at that, or take a story out"),
        ("style-too-large", _E, "the style blocks pass 16 kB, and Gmail drops them all",
         "shorten the template's mj-style"),
        ("style-nested", _W, "an at-rule stands within another, and Gmail drops the block",
         "write two rules side by side"),
        ("text-empty", _E, "the text part is empty", "mend body.txt.j2"),
        ("picture-heavy", _W, "a prepared picture is larger than a phone should wait for",
         "use a calmer picture, or a smaller one"),
    ),
    **_rules(
        "Characters",
        ("token-left", _E, "a reader's field was left unfilled",
         "print reader's fields as they are, without filters"),
        ("control-character", _E, "a part holds a control character",
         "remove it from the article or the template"),
        ("character-lost", _W, "a part shows a replacement character or wrongly decoded letters",
         "save the article as UTF-8 and take it in again"),
        ("braces-shown", _W, "a part shows template braces", "look whether they are meant"),
        ("escape-shown", _E, r"the HTML shows a character as \u{…}",
         "write it as &#…; in the template"),
    ),
    **_rules(
        "Subject and headers",
        ("subject-empty", _E, "the subject is empty", "write one into the issue"),
        ("subject-too-long", _E, "the subject is longer than a header should be",
         "write at most 78 characters"),
        ("subject-long", _W, "the subject is longer than inboxes show",
         "write at most 78 characters"),
        ("subject-shouts", _W, "the subject is in capitals or full of marks, as spam is",
         "write it as a sentence"),
        ("preheader-empty", _W, "there is no preheader", "write one sentence"),
        ("preheader-length", _W, "the preheader is too short or too long for an inbox",
         "write 30 to 140 characters, best about 90"),
        ("preheader-repeats", _W, "the preheader says the subject again", "say something else"),
        ("preheader-made", _N, "the preheader is made of headlines",
         "write one sentence of about 90 characters"),
        ("no-sender", _W, "the publication has no From yet and cannot be sent",
         "fill in from_name and from_address in publication.toml"),
    ),
    **_rules(
        "Structure",
        ("language", _E, "the HTML does not say its language", "write <mjml lang=…>"),
        ("direction", _E, "the HTML does not say its direction", "write <mjml dir=…>"),
        ("title-missing", _W, "the HTML has no title for screen readers and browser tabs",
         "write <mj-title> in the head"),
        ("heading-first", _E, "there is not exactly one first heading",
         "have exactly one, the masthead's"),
        ("heading-order", _W, "a level of headings is skipped", "use the next level"),
        ("heading-empty", _W, "a heading is empty", "write it or remove it"),
        ("table-role", _E, "a layout table is read out as a table of data",
         'write role="presentation" on each <table>'),
    ),
    **_rules(
        "Links",
        ("link-broken", _E, "a link has no address that can be followed",
         "give it an https address"),
        ("link-not-https", _W, "a link is not encrypted", "use https if the page has it"),
        ("link-login", _E, "a link carries a name and password",
         "take out what stands before the @"),
        ("link-empty", _E, "a link has no text", "write one"),
        ("link-vague", _W, "a link's text does not say where it leads", "say where it leads"),
        ("link-text-twice", _W, "links to different pages have the same text",
         "give each words of its own"),
        ("link-not-underlined", _W, "a link within text can be told by its colour alone",
         "keep text-decoration:underline"),
        ("link-not-in-text", _E, "the text part lacks a link that the HTML has",
         "give it a line of its own in body.txt.j2"),
        ("link-only-in-text", _W, "the HTML lacks a link that the text part has",
         "link it in body.mjml.j2"),
    ),
    **_rules(
        "Links on the network (`--online`)",
        ("link-gone", _E, "the page is not there", "find its new address, or take the link out"),
        ("link-refused", _E, "the address must not be fetched: private or malformed",
         "use a public https address"),
        ("link-unreachable", _W, "the page could not be had just now",
         "open it yourself; try again later"),
        ("link-rotten", _W, "the page now leads to the site's front page, as removed ones do",
         "look whether the story is still there"),
        ("link-anchor-missing", _W, "the page is there and the place on it is not",
         "link to the page, or to a place that exists"),
        ("link-moved", _N, "the page has moved for good", "use its new address"),
    ),
    **_rules(
        "Pictures",
        ("picture-no-alt", _E, "a picture has no alt attribute",
         'write alt="…", or alt="" for decoration'),
        ("picture-alt-is-name", _W, "a picture's description is the name of its file",
         "say what it shows"),
        ("picture-not-https", _E, "a picture is not loaded over https", "serve it over https"),
        ("picture-width", _E, "a picture has no width, or is wider than the mail",
         "give it a width that fits its column"),
        ("picture-unusable", _W, "a picture cannot be used and is left out",
         "mend or replace the file, or write image: false beside the pick"),
        ("picture-no-credit", _E, "nobody is credited for a picture",
         "write image_credit into the article, or beside the pick in the issue"),
        ("picture-undescribed", _E, "nobody has said what a picture shows",
         'write image_alt into the article or beside the pick; image_alt: "" for decoration'),
        ("picture-small", _N, "a picture has too few pixels for its place",
         "a larger file would be sharper"),
    ),
    **_rules(
        "Looks",
        ("contrast-light", _E, "two of the theme's colours cannot be told apart in the light",
         "choose others in publication.toml, [theme]"),
        ("contrast-dark", _E, "two of the theme's colours cannot be told apart in the dark",
         "choose others in publication.toml, [theme]"),
        ("contrast", _E, "some text has too little contrast", "have 4.5 or more"),
        ("type-small", _W, "some text is smaller than 14 px", "use 14 px or more"),
        ("type-body-small", _W, "running text is smaller than 16 px", "use 16 px or more"),
        ("lines-tight", _W, "lines of running text stand too close",
         "use a line-height of 1.5 or more"),
        ("no-dark-scheme", _W, "the templates have no colours for a dark mail program",
         "see parts/dark.css.j2 of the shipped set"),
        ("no-dark-outlook", _W, "Outlook's dark mode is not answered",
         "add [data-ogsc] rules, as parts/dark.css.j2 of the shipped set does"),
        ("client-support", _W, "a main mail program does not know what the mail uses",
         "see that the mail reads well without it, then accept it"),
        ("client-support-partial", _N, "a main mail program knows only a part of it",
         "look at it there"),
    ),
    **_rules(
        "What the law and readers want",
        ("no-unsubscribe", _E, "a part has no unsubscribe link",
         "print {{ reader.unsubscribe_url }} in the footer"),
        ("no-view-online", _W, "the HTML has no link to its page on the web",
         "print {{ reader.view_online_url }} at the top"),
        ("no-preferences", _W, "the HTML has no link to the reader's preferences",
         "print {{ reader.preferences_url }} in the footer"),
        ("no-postal-address", _W, "the publication has no postal address; it cannot be sent",
         "fill in postal_address in publication.toml"),
        ("postal-address-not-shown", _E, "the postal address is not in both parts",
         "print it in the footer of body.mjml.j2 and body.txt.j2"),
        ("publisher-not-shown", _E, "the publisher is not named in both parts",
         "print it in the footer of body.mjml.j2 and body.txt.j2"),
        ("reason-not-shown", _W, "the reader is not told why they get it",
         "print {{ publication.why }} in the footer"),
        ("field-without-default", _E, "a roster's field has no default for readers without one",
         'write {{ reader.field("…", default="…") }}, or default=""'),
        ("field-nobody-has", _W, "a template names a roster's field that no reader has",
         "look at its spelling, or import a roster with that column"),
    ),
    **_rules(
        "The issue",
        ("opening-placeholder", _E, "the opening is still the draft's placeholder",
         "write the opening in its place"),
        ("opening-empty", _W, "the columnist has written no opening",
         "write it below the front matter"),
        ("column-substitute", _N, "the column was not filed and its substitute stands in",
         "write the opening below the front matter"),
        ("correction-empty", _E, "a correction says nothing",
         "write below the front matter what was wrong and what is right"),
        ("no-stories", _E, "the edition shows no story", "pick some in the issue"),
        ("name-spelt-two-ways", _W, "one name stands in two near forms",
         "make them the same, or accept it if they are two people"),
        ("region-empty", _W, "a region has nothing of its own, and no parent's block to show",
         "write a note for it, or pick a story"),
        ("region-inherits", _N, "a region has nothing of its own and shows its parent's block",
         "write a note for it, if there is something to say"),
        ("region-no-contact", _N, "a region has no group_contact",
         "write one into the region's file"),
    ),
    **_rules(
        "Stories",
        ("article-draft", _E, "an article is a draft", "publish it or take it out"),
        ("article-embargo", _E, "an embargo is not over at the hour of sending",
         "take it out of this issue"),
        ("article-expired", _E, "an article has expired at the hour of sending",
         "take it out of this issue"),
        ("deadline-past", _W, "an article's deadline is past at the hour of sending",
         "take it out of this issue"),
        ("already-sent", _E, "a story in a section was sent in an earlier issue",
         "take it out, or write `follow_up: true` under it if readers may have it again"),
        ("already-sent-here", _W, "a region's story was sent to that list before",
         "take it out, or write `follow_up: true` under it if they should have it again"),
        ("already-sent-elsewhere", _N, "a region's story was sent to another list before",
         "write `follow_up: true` under it if its readers should have it again"),
        ("article-empty", _W, "an article has no text to show", "write a standfirst"),
        ("article-flagged", _N, "something about an article was not certain when it was taken in",
         "look at it"),
        ("lead-no-picture", _N, "the lead has no picture", "an issue looks better with one"),
    ),
    **_rules(
        "Diary",
        ("diary-unknown", _W, "the issue lists an entry that is not there",
         "take it out of the issue"),
        ("diary-past", _W, "an event is past at the hour of sending",
         "take it out of the issue"),
    ),
    **_rules(
        "Templates and accepted findings",
        ("template", _E, "a template is not sound: Jinja, or MJML against the component schema",
         "mend the line"),
        ("acceptance-unused", _N, "an accepted finding did not come up",
         "take the entry out of the file"),
        ("acceptance-over", _W, "an accepted finding's date is past",
         "look at it again, and give it a new date or mend it"),
    ),
}  # fmt: skip
"""By code, in the order in which the docs list them."""
