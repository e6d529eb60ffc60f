"""What a site leaves around its text: comment forms, cookie notices, newsletter boxes, buttons.

A block is residue when it *is* such a phrase, not when it mentions one: patterns match whole
short blocks, so a sentence about cookies in an article stays. What comes after the comment form
or the link to the original is dropped only while it is short; longer text is kept and flagged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.articles.article import Flag
from mailer.articles.lettering import shorten

_PHRASES = (
    r"leave a (?:reply|comment|response)(?: to .+| cancel reply)?"
    r"|(?:post|add|write) (?:a|your) (?:comment|reply)"
    r"|cancel reply"
    r"|your email address will not be published.*"
    r"|required fields are marked.*"
    r"|(?:name|email|e-mail|website|comment|first name|last name|email address)\s*\*?:?"
    r"|save my name,? email.*"
    r"|(?:notify me of|this site uses akismet|learn how your comment data).*"
    r"|you must be logged in to .*"
    r"|\d+ (?:comments?|responses?|replies)(?: (?:on|to) .*)?|no comments(?: yet)?"
    r"|comments are closed"
    r"|(?:view|read|see) (?:the )?(?:original|full) (?:post|article|story)|original"
    r" (?:post|article)(?:\W+https?://\S+)?"
    r"|originally (?:posted|published) (?:at|on|in|by) .{0,80}"
    r"|we use cookies.{0,200}"
    r"|(?:this (?:web)?site|our (?:web)?site) uses cookies.{0,300}"
    r"|cookies help us .*|by using (?:our|this) (?:web)?site.*(?:cookies|terms).*"
    r"|(?:accept|reject|decline|allow)(?: all)?(?: cookies)?|cookie (?:policy|settings"
    r"|preferences)"
    r"|manage (?:cookies|preferences|consent)|got it!?"
    r"|(?:subscribe|sign up)(?: (?:to|for) (?:our|the|this|my).{0,60})?!?"
    r"|(?:we[’']?d|we would) love to keep you updated.*"
    r"|we don[’']?t spam.*|no spam.{0,60}|(?:read|see) our privacy policy.*"
    r"|(?:thank you|thanks) for (?:your subscription|subscribing|signing up).*"
    r"|check your inbox.*to confirm.*"
    r"|get (?:our|the) .{0,40}newsletter.{0,80}"
    r"|(?:join|enter) (?:our mailing list|your email(?: address)?).{0,60}"
    r"|(?:share|tweet|pin|print|email|like|whatsapp|facebook|twitter|linkedin|copy link|reddit"
    r"|mastodon|bluesky|telegram)(?: this)?(?: (?:article|post|page|story|on \w+|via \w+))?:?"
    r"|(?:like|share) this:?|like loading\W*|loading\W*|click to (?:share|email|print).*"
    r"|(?!.+[^.]\.$)(?:related|more|recent|previous|next|popular)"
    r" (?:posts?|articles?|stories|reading)\b.{0,60}"
    r"|you (?:may|might) also (?:like|enjoy).*"
    r"|(?:previous|next)(?: post| article)?(?::.*)?|« (?!.*»).{0,120}|(?!.*«).{0,120} »"
    r"|(?:skip to|jump to) (?:main )?content|menu|search(?: for)?:?|home|toggle navigation"
    r"|(?!.+[^.]\.$)(?:filed|posted) (?:under|in):?.{0,100}"
    r"|tag(?:s|ged)(?: with)?:.{0,150}|categor(?:y|ies):.*"
    r"|(?:copyright|©).{0,120}|all rights reserved.*|powered by \w+.{0,40}"
    r"|\d+ min(?:ute)?s? read|(?:reading|read) time:? .*|estimated reading time.*"
    r"|the (?:post|article) .{1,300} (?:first )?appeared (?:first )?(?:on|in) .{1,120}"
    r"|back to top|read more|continue reading.*|listen to this article|advertisement|sponsored"
)
_PATTERN = re.compile(rf"(?:{_PHRASES})[\s\W]*", re.IGNORECASE)
_CUTTER = re.compile(
    r"leave a (?:reply|comment|response).*|original(?:ly)? (?:post|article|posted|published).*"
    r"|(?:post|add) (?:a|your) comment|related (?:posts?|articles?|stories).*",
    re.IGNORECASE,
)
_SYNDICATED = re.compile(
    r"original (?:post|article)(?:\W*|\W+https?://\S+)|originally (?:posted|published) .*"
    r"|(?:view|read|see) (?:the )?original .*",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>()]+")
_LONGEST_AFTER_CUT = 40


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The blocks that are left, and what an editor should know.

    ``places`` has one number a block: where, from 0, it stood among those that were given.
    ``doubled`` are blocks that stood twice in a row, as captions do; ``url`` is the address of
    the original when the page names it.
    """

    blocks: tuple[str, ...]
    flags: tuple[Flag, ...]
    doubled: frozenset[str] = frozenset()
    url: str = ""
    places: tuple[int, ...] = ()


def is_residue(block: str) -> bool:
    """True when a whole block is a site's furniture."""
    plain = " ".join(block.split()).strip("*_# ")
    return len(plain) <= 320 and _PATTERN.fullmatch(plain) is not None


def remove_residue(blocks: Sequence[str]) -> Cleaned:
    """Drop residue and repetitions from the blocks of a page's text, in order."""
    flags: list[Flag] = []
    kept: list[str] = []
    places: list[int] = []
    doubled: set[str] = set()
    url = ""
    is_after_cut = False
    for place, raw in enumerate(blocks):
        whole = raw.split("\n")
        lines = [line for line in whole if not is_residue(line)]
        if _is_syndicated(raw):
            flags.append(Flag("syndicated", "The page says that it is a copy of another site's."))
            address = _ADDRESS.search(raw)
            url = url or (address.group() if address else "")
        if any(_CUTTER.fullmatch(line.strip("*_# ")) for line in whole):
            is_after_cut = True
        left = "\n".join(lines).strip()
        block = halve(left)
        is_again = bool(kept) and block == kept[-1]
        if is_again or block != left:
            doubled.add(block)
        # A single line that stayed as it was has been looked at.
        is_known = len(whole) == 1 and block == left
        if not block or is_again or (not is_known and is_residue(block)):
            continue
        if is_after_cut:
            if len(block.split()) <= _LONGEST_AFTER_CUT:
                flags.append(
                    Flag("tail-dropped", f"Left out below the text: “{shorten(block, 120)}”")
                )
                continue
            flags.append(
                Flag("after-comment-form", "Text below the comment form was kept; look at it.")
            )
            is_after_cut = False
        kept.append(block)
        places.append(place)
    noted = tuple(dict.fromkeys(flags))
    return Cleaned(tuple(kept), noted, frozenset(doubled), url, tuple(places))


def _is_syndicated(block: str) -> bool:
    return any(_SYNDICATED.fullmatch(line.strip("*_# ")) for line in block.split("\n"))


def halve(block: str) -> str:
    """Return one half of a text that is the same text twice, as scraped captions are."""
    words = block.split()
    half, odd = divmod(len(words), 2)
    if half >= 3 and not odd and words[0] == words[half] and words[:half] == words[half:]:
        return " ".join(words[:half])
    return block
