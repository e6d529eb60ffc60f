"""What stands in DNS: may our mail be believed, and does what comes back find us?

SPF is looked up where the envelope's sender is, DKIM and DMARC where the From is. A check says what
big providers make of it: without SPF or DKIM, and DMARC beside them, mail to many is refused or
goes to the bin. MTA-STS and BIMI are nobody's duty; they are looked at where they are.

Standards: RFC 7208 (SPF), 6376 (DKIM), 7489 (DMARC), 8461 (MTA-STS), BIMI (draft), RFC 7505 (null
MX). Known limit: where a relay sends, its own address and PTR are its operator's; SPF is not
evaluated for an address, only read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mailer.app import App
from mailer.checked import is_loopback
from mailer.checkup.findings import Check, Level
from mailer.checkup.resolving import NotAsked, Resolver

MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4: one more is a permanent error, and the record counts for nothing."""

NOBODYS_DUTY = frozenset({"MTA-STS", "BIMI"})
"""What mail goes without, and so does a doctor who could not ask."""

_ASKING = re.compile(r"^[+?~-]?(include|a|mx|ptr|exists)\b[:/]?|^redirect=")
_TAGS = re.compile(r"\s*;\s*")


def naming_checks(app: App) -> Iterator[Check]:
    """Look up everything that concerns this publication's mail."""
    try:
        resolver = Resolver(app.settings.dns_address())
    except NotAsked as error:
        yield Check("fail", "DNS", str(error))
        return
    if silence := resolver.silence():
        yield Check(
            "fail",
            "DNS",
            f"{silence}, so no record was looked up",
            "mend this machine's /etc/resolv.conf, or set MAILER_DNS_SERVER",
        )
        return
    publication = app.publication
    domain = publication.from_address.rpartition("@")[2]
    bounces = publication.bounce_domain
    replies = {region.reply_to.rpartition("@")[2] for region in publication.region_map.values()}
    keys = [(key.selector, key.dns_record()) for key in app.signer.keys] if app.signer else []
    looks: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("SPF", lambda: spf_checks(resolver, bounces)),
        *(("DKIM", lambda key=key: dkim_checks(resolver, domain, *key)) for key in keys),
        ("DMARC", lambda: dmarc_checks(resolver, domain)),
        ("MX", lambda: mx_checks(resolver, bounces, "bounces")),
        *(
            ("MX", lambda name=name: mx_checks(resolver, name, "replies"))
            for name in sorted({domain, *replies} - {bounces})
        ),
        ("PTR", lambda: ptr_checks(resolver, app)),
        ("MTA-STS", lambda: mta_sts_checks(resolver, bounces)),
        ("BIMI", lambda: bimi_checks(resolver, domain)),
    ]
    for subject, look in looks:
        try:
            yield from look()
        except NotAsked as error:
            level: Level = "warn" if subject in NOBODYS_DUTY else "fail"
            yield Check(level, subject, str(error), "try again, or set MAILER_DNS_SERVER")


def spf_checks(resolver: Resolver, domain: str) -> Iterator[Check]:
    """Look at who may send for a domain."""
    found = _spf(resolver, domain)
    remedy = (
        f'put TXT "v=spf1 include:YOUR-RELAY -all" at {domain}; your relay says what to include'
    )
    if not found:
        yield Check("fail", "SPF", f"{domain} has no record", remedy)
        return
    if len(found) > 1:
        yield Check(
            "fail", "SPF", f"{domain} has {len(found)} records, so none counts", "keep one of them"
        )
        return
    [record] = found
    count = _lookups(resolver, record, depth=0)
    if count > MOST_LOOKUPS:
        yield Check(
            "fail",
            "SPF",
            f"{domain} asks for {count} look-ups, more than {MOST_LOOKUPS}: it counts for nothing",
            "include less",
        )
    elif re.search(r"(?:^|\s)\+?all\b", record):
        yield Check("fail", "SPF", f"{domain} allows everybody: {record}", "end it with -all")
    elif re.search(r"\s\?all\b", record) or not re.search(r"\s[~-]all\b|redirect=", record):
        yield Check("warn", "SPF", f"{domain} forbids nobody: {record}", "end it with -all or ~all")
    else:
        yield Check("ok", "SPF", f"{domain}: {record}")


def _spf(resolver: Resolver, domain: str) -> list[str]:
    texts = resolver.texts(domain)
    return [
        text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")
    ]


def _lookups(resolver: Resolver, record: str, *, depth: int) -> int:
    """Count the look-ups that a record asks a receiver for."""
    count = 0
    for term in record.lower().split()[1:]:
        if not _ASKING.match(term):
            continue
        count += 1
        nested = re.match(r"^(?:[+?~-]?include:|redirect=)([^\s%]+)$", term)
        if nested and depth < MOST_LOOKUPS and count <= MOST_LOOKUPS:
            inner = _spf(resolver, nested[1])
            count += _lookups(resolver, inner[0], depth=depth + 1) if inner else 0
    return count


def dkim_checks(resolver: Resolver, domain: str, selector: str, ours: str) -> Iterator[Check]:
    """Compare the public half in DNS with the key that signs here."""
    name = f"{selector}._domainkey.{domain}"
    found = [text for text in resolver.texts(name) if "p=" in text.replace(" ", "")]
    if not found:
        yield Check(
            "fail", "DKIM", f"{name} has no key", "put there what `mailer dkim records` prints"
        )
        return
    theirs, mine = tags(found[0]), tags(ours)
    if not theirs.get("p"):
        yield Check("fail", "DKIM", f"{name} says that the key is revoked", "sign with another key")
    elif theirs["p"] != mine.get("p"):
        yield Check(
            "fail",
            "DKIM",
            f"{name} has another key than the one that signs here",
            "put there what `mailer dkim records` prints; what is signed now is refused",
        )
    elif "y" in theirs.get("t", "").split(":"):
        yield Check("warn", "DKIM", f"{name} is in test mode (t=y)", "take t=y out of the record")
    else:
        yield Check("ok", "DKIM", f"{name} has the key that signs here")


def dmarc_checks(resolver: Resolver, domain: str) -> Iterator[Check]:
    """Look at what receivers are to do with mail that only pretends to be ours."""
    where, record = _dmarc(resolver, domain)
    if not record:
        yield Check(
            "fail",
            "DMARC",
            f"_dmarc.{domain} has no record",
            f'put TXT "v=DMARC1; p=none; rua=mailto:dmarc@{domain}" there; later p=quarantine',
        )
        return
    policy = tags(record).get("p", "")
    if policy not in {"none", "quarantine", "reject"}:
        yield Check("fail", "DMARC", f"{where} has no policy: {record}", "write p=none, at least")
    elif policy == "none":
        yield Check(
            "warn",
            "DMARC",
            f"{where} watches and forbids nothing (p=none)",
            "read the reports for some weeks, then p=quarantine",
        )
    else:
        yield Check("ok", "DMARC", f"{where}: p={policy}")
    if "rua" not in tags(record):
        yield Check(
            "warn", "DMARC", f"{where} asks for no reports", f"add rua=mailto:dmarc@{domain}"
        )


def _dmarc(resolver: Resolver, domain: str) -> tuple[str, str]:
    """Return where the record stands and what it says: the domain's own, else one above it."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        name = f"_dmarc.{'.'.join(labels[start:])}"
        for text in resolver.texts(name):
            if text.lower().replace(" ", "").startswith("v=dmarc1"):
                return name, text
    return "", ""


def mx_checks(resolver: Resolver, domain: str, what: str) -> Iterator[Check]:
    """Look whether mail to a domain arrives anywhere."""
    servers = resolver.mail_servers(domain)
    level: Level = "fail" if what == "bounces" else "warn"
    if servers == ["."]:
        yield Check(level, "MX", f"{domain} takes no mail (null MX)", f"{what} would be lost")
    elif not servers:
        yield Check(
            level, "MX", f"{domain} has no mail server", f"name one: {what} come back there"
        )
    elif lost := [name for name in servers if not resolver.addresses(name)]:
        yield Check(
            "fail", "MX", f"{domain}: {', '.join(lost)} has no address", "mend its A record"
        )
    else:
        yield Check("ok", "MX", f"{what} for {domain} go to {servers[0]}")


def ptr_checks(resolver: Resolver, app: App) -> Iterator[Check]:
    """Look whether the name that this machine gives itself is that of its address."""
    name = app.settings.relay_hello_name
    if not name:
        if all(is_loopback(relay.host) for relay in app.settings.relays()):
            yield Check(
                "warn",
                "PTR",
                "MAILER_RELAY_HELLO_NAME is not set, so no name can be looked up",
                "set it to this machine's full name, where the mail leaves from here",
            )
        else:
            yield Check("ok", "PTR", "the mail leaves from the relay; its names are its operator's")
        return
    addresses = resolver.addresses(name)
    if not addresses:
        yield Check(
            "fail", "PTR", f"{name} has no address", "add its A record, or mend the setting"
        )
        return
    for address in addresses:
        names = resolver.names(address)
        if name.lower() in names:
            yield Check("ok", "PTR", f"{name} is {address}, and {address} is {name}")
        else:
            yield Check(
                "fail",
                "PTR",
                f"{address} is {', '.join(names) or 'nobody'}, and not {name}",
                "ask whoever gave you the address to set its PTR record",
            )


def mta_sts_checks(resolver: Resolver, domain: str) -> Iterator[Check]:
    """Look whether mail to us must come encrypted; nobody has to ask for it."""
    found = [text for text in resolver.texts(f"_mta-sts.{domain}") if text.startswith("v=STSv1")]
    if not found:
        yield Check("ok", "MTA-STS", f"{domain} has none; it would protect what comes back")
    elif len(found) > 1 or not re.fullmatch(r"[A-Za-z0-9]{1,32}", tags(found[0]).get("id", "")):
        yield Check(
            "warn",
            "MTA-STS",
            f"_mta-sts.{domain} cannot be used: {'; '.join(found)}",
            'keep one record: "v=STSv1; id=20261130"',
        )
    else:
        yield Check("ok", "MTA-STS", f"{domain}: policy {tags(found[0])['id']}")


def bimi_checks(resolver: Resolver, domain: str) -> Iterator[Check]:
    """Look whether mail programs may show our logo; nobody has to let them."""
    texts = resolver.texts(f"default._bimi.{domain}")
    found = [text for text in texts if text.replace(" ", "").startswith("v=BIMI1")]
    if not found:
        yield Check("ok", "BIMI", f"{domain} has none; with p=quarantine it could show your logo")
        return
    location = tags(found[0]).get("l", "")
    policy = tags(_dmarc(resolver, domain)[1]).get("p", "none")
    if not location.startswith("https://"):
        yield Check(
            "warn", "BIMI", f"it names no https address: {found[0]}", "write l=https://…svg"
        )
    elif policy == "none":
        yield Check("warn", "BIMI", f"{location}, and DMARC is p=none", "it needs p=quarantine")
    else:
        yield Check("ok", "BIMI", location)


def tags(record: str) -> dict[str, str]:
    """Read ``name=value; …``, without the white space that a record may have anywhere."""
    found = {}
    for part in _TAGS.split(record):
        name, equals, value = part.partition("=")
        if equals:
            found[name.strip().lower()] = "".join(value.split())
    return found
