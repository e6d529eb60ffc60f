"""Making an approved issue's editions again from its lock, and comparing them byte for byte.

What an approval kept is enough: the file, the publication, the templates, the articles and the
diary as they were, and which pictures by their content's hash. ``rebuild`` renders from that alone;
nothing of the present publication, library or templates is looked at. Where a region comes out
otherwise, the report names what is not as it was: a kept input that was altered, a picture that is
missing, or a version of the program or of a library.

Nothing is written to the database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailer.app import App
from mailer.delivery.frozen import FrozenEdition
from mailer.delivery.message import letterhead
from mailer.editions.edition import merge_html, merge_text
from mailer.editions.preview import sample_fields
from mailer.editions.recipe import Recipe, present_tools, unpack
from mailer.errors import Fault, IllegalTransition, InvalidInput, MailerError
from mailer.issues.lock import Tools

Progress = Callable[[int, int], None]
AROUND = 30


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What came of it: every region that differs with the first place where it does.

    ``damage`` are kept inputs and pictures that are not what was approved, ``versions`` what the
    program and its libraries were and are.
    """

    issue_id: str
    regions: Mapping[str, str]
    damage: tuple[str, ...]
    versions: tuple[str, ...]
    editions: Mapping[str, FrozenEdition]

    @property
    def is_same(self) -> bool:
        """Whether every edition came out byte for byte, from undamaged inputs."""
        return not self.damage and not any(self.regions.values())


def rebuild(app: App, name: str, *, progress: Progress | None = None) -> Rebuild:
    """Render an approved issue's editions again from what its approval kept.

    Raises:
        IllegalTransition: it is not approved, or was by a version that kept no lock.
        InvalidInput: a kept input cannot be read any more; says which, and what else differs.
    """
    approved = app.archive.editions(name)
    app.archive.record(name)
    lock = app.archive.lock(name)
    if not approved or not lock:
        raise IllegalTransition(
            Fault(
                f"issue {name} has no lock to rebuild from",
                remedy="approve it; what is approved is kept with everything it was made of",
            )
        )
    damage = _damaged(app, name, lock)
    tools = Tools.from_json(app.archive.tools(name))
    versions = tuple(tools.differences(present_tools()))
    try:
        made_of = unpack(name, app.archive.inputs(name), root=app.root)
        damage += _pictures(made_of, app.images)
        editions = _editions(made_of, list(approved), progress)
    except MailerError as error:
        more = [Fault(text, where=f"issue {name}") for text in (*damage, *versions)]
        raise InvalidInput([*error.faults, *more]) from None
    regions = {
        slug: first_difference(approved[slug], editions[slug].to_json())
        if slug in editions
        else "the kept publication has no such region"
        for slug in approved
    }
    return Rebuild(name, regions, tuple(damage), versions, editions)


def write_rebuilt(app: App, built: Rebuild, folder: Path) -> list[Path]:
    """Write rebuilt editions for a sample reader, HTML and text; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for slug, frozen in built.editions.items():
        region = app.publication.region_map.get(slug)
        if region is None:
            continue
        fields = sample_fields(app.publication, region, web_url=frozen.web_url)
        html, words = folder / f"{slug}.html", folder / f"{slug}.txt"
        html.write_text(merge_html(frozen.edition.html, fields), encoding="utf-8")
        words.write_text(merge_text(frozen.edition.text, fields), encoding="utf-8")
        written += [html, words]
    return written


def since_approval(app: App, name: str, present: Recipe) -> list[str]:
    """Name the inputs that are not now what they were when the issue was approved."""
    before = app.archive.lock(name)
    now = {(each.kind, each.name): each.checksum for each in present.pack()}
    return [
        f"{kind} {which}".rstrip()
        for kind, which in sorted({*before, *now})
        if before.get((kind, which)) != now.get((kind, which))
    ]


def first_difference(approved: str, made: str) -> str:
    """Say where two editions part, in a sentence; "" when they are the same bytes."""
    if approved == made:
        return ""
    before, after = json.loads(approved), json.loads(made)
    for part in ("edition", "letterhead", "web_url"):
        if before.get(part) != after.get(part):
            return _parted(part, before.get(part), after.get(part))
    return "it is written otherwise"


def _parted(part: str, before: Any, after: Any) -> str:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            if before.get(key) != after.get(key):
                return _parted(f"{part}.{key}", before.get(key), after.get(key))
    old, new = (
        each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
        for each in (before, after)
    )
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), len(old))
    start = max(0, at - AROUND)
    return f"{part}: {old[start : at + AROUND]!r} has become {new[start : at + AROUND]!r}"


def _editions(
    made_of: Recipe, regions: list[str], progress: Progress | None
) -> dict[str, FrozenEdition]:
    issue = made_of.issue()
    made = {}
    for done, slug in enumerate(regions, 1):
        region = made_of.publication.region_map.get(slug)
        if region is not None:
            edition = made_of.render(issue, region)
            head = letterhead(made_of.publication, region)
            made[slug] = FrozenEdition(edition, head, web_url=made_of.web_url)
        if progress:
            progress(done, len(regions))
    return made


def _damaged(app: App, name: str, lock: Mapping[tuple[str, str], str]) -> list[str]:
    """Return the kept inputs whose content is not their checksum's, and those that are gone."""
    kept = {(each.kind, each.name): each for each in app.archive.inputs(name)}
    said = []
    for (kind, which), checksum in lock.items():
        label = f"{kind} {which}".rstrip()
        found = kept.get((kind, which))
        if found is None:
            said.append(f"the kept {label} is gone")
        elif found.checksum != checksum:
            said.append(f"the kept {label} was altered: it is not what was approved")
    return said


def _pictures(made_of: Recipe, folder: Path) -> list[str]:
    """Return the prepared pictures that are missing or not what their names say."""
    said = []
    for src, picture in made_of.images.items():
        for image in {picture.lead.name: picture.lead, picture.thumb.name: picture.thumb}.values():
            path = folder / image.name
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError:
                said.append(f"the picture {src} is gone: {image.name} is not in var/images")
                continue
            if not digest.startswith(Path(image.name).stem):
                said.append(f"the picture {src} was altered: {image.name} is not its content")
    return said
