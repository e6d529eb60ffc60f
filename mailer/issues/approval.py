"""What an approval binds, and what differs from it: pure.

The checksum covers the issue file's text, every region's edition (subject, HTML, text, letterhead),
every template, every picture and the audience rule. The parts are kept beside it, so that a
difference has a name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from mailer.errors import Fault, InvalidInput
from mailer.issues.issue import Issue, IssueRecord, is_correction
from mailer.issues.lock import changed_inputs
from mailer.selection.filtering import some


def approval_checksum(
    issue_text: str,
    edition_checksums: Mapping[str, str],
    audience_rule: str,
    inputs: Mapping[str, str] | None = None,
) -> str:
    """Return the SHA-256 hex that an approval binds.

    Args:
        issue_text: the issue file's text, exactly.
        edition_checksums: ``Edition.checksum`` by region.
        audience_rule: who is to get it, in words that change when the rule does.
        inputs: the templates' and pictures' checksums; see ``lock.bound_checksums``.
    """
    bound = {
        "version": 2,
        "inputs": dict(inputs or {}),
        "issue": hashlib.sha256(issue_text.encode()).hexdigest(),
        "editions": dict(edition_checksums),
        "audience_rule": audience_rule,
    }
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()


def changed_parts(
    *,
    texts: tuple[str | None, str | None],
    editions: tuple[Mapping[str, str], Mapping[str, str]],
    rules: tuple[str, str],
    inputs: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
) -> list[str]:
    """Name the parts that differ; each pair is (as approved, as it is now).

    Args:
        texts: the issue file's; None where it cannot be read.
        editions: ``Edition.checksum`` by region.
        rules: the audience rule.
        inputs: the checksums of templates and pictures.
    """
    changed = []
    if texts[0] != texts[1]:
        changed.append("its file" if texts[1] is not None else "its file, which cannot be read")
    approved, present = editions
    for region in (*approved, *(slug for slug in present if slug not in approved)):
        if region not in present:
            changed.append(f"the edition of {region}, which is gone")
        elif region not in approved:
            changed.append(f"the edition of {region}, which is new")
        elif present[region] != approved[region]:
            changed.append(f"the edition of {region}")
    changed += changed_inputs(*inputs)
    if rules[0] != rules[1]:
        changed.append("the audience rule")
    return changed


def check_editions(
    issue_id: str,
    regions: Sequence[str],
    editions: Mapping[str, str],
    contents: Mapping[str, str],
) -> None:
    """Refuse to freeze what nobody checked.

    Raises:
        InvalidInput: a region has no edition, or an edition's text is not its checksum's.
    """
    missing = [slug for slug in regions if slug not in editions or slug not in contents]
    wrong = [
        slug
        for slug in dict.fromkeys((*editions, *contents))
        if slug not in missing
        and editions.get(slug) != hashlib.sha256(contents.get(slug, "").encode()).hexdigest()
    ]
    faults = []
    if missing:
        faults.append(f"issue {issue_id} has no edition for {some(missing)}")
    if wrong:
        faults.append(f"issue {issue_id} has editions that are not what was checked: {some(wrong)}")
    if faults:
        raise InvalidInput(
            [Fault(problem, remedy="render every region and approve again") for problem in faults]
        )


def check_number(issue: Issue, records: Iterable[IssueRecord], *, where: str) -> None:
    """Refuse a number that another issue has.

    Raises:
        InvalidInput: names that issue.
    """
    if issue.corrects:
        # A correction has the number of what it corrects.
        return
    taken = {
        record.number: record.id
        for record in records
        if record.id != issue.id and not is_correction(record.id)
    }
    if issue.number in taken:
        raise InvalidInput(
            Fault(
                f"{issue.number} is the number of issue {taken[issue.number]}",
                where=where,
                field="number",
                remedy="give each issue a number of its own",
            )
        )
