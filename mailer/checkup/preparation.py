"""What stands in files: settings, keys, templates."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.app import App
from mailer.checkup.findings import Check
from mailer.errors import ConfigurationError, MailerError
from mailer.languages import Languages, load_languages


def settings_checks(app: App) -> Iterator[Check]:
    """Look at what sending needs, and at the keys that sign."""
    faults = app.faults_before_sending()
    if not faults:
        yield Check("ok", "settings", "all that sending needs is there")
    for fault in faults:
        yield Check("fail", "settings", str(fault))
    if app.settings.web_url.startswith("http://"):
        yield Check(
            "warn",
            "settings",
            f"MAILER_WEB_URL is {app.settings.web_url}, which readers cannot reach",
            "write your https address before real readers get mail",
        )
    if app.settings.fixed_now:
        yield Check(
            "warn",
            "settings",
            f"MAILER_FIXED_NOW holds the clock at {app.settings.fixed_now:%Y-%m-%d %H:%M} UTC",
            "a rehearsal: take it out before real readers get mail",
        )
    yield from _env_file(app)
    yield from _keys(app)


def _env_file(app: App) -> Iterator[Check]:
    path = app.root / ".env"
    if path.is_file() and path.stat().st_mode & 0o077:
        yield Check(
            "warn",
            "settings",
            f"{path} holds secrets and can be read by other users",
            f"run `chmod 600 {path}`",
        )


def _keys(app: App) -> Iterator[Check]:
    try:
        signer = app.signer
    except ConfigurationError as error:
        for fault in error.faults:
            yield Check("fail", "DKIM", str(fault))
        return
    if signer is None:
        yield Check(
            "warn",
            "DKIM",
            "messages are not signed here",
            "make keys with `mailer dkim new`, or let the relay sign",
        )
    else:
        selectors = ", ".join(key.selector for key in signer.keys)
        yield Check("ok", "DKIM", f"signs for {signer.domain} with {selectors}")


def template_checks(app: App) -> Iterator[Check]:
    """Look whether the templates and the translations can be used."""
    try:
        _ = app.templates
        tags = load_languages(app.root / "templates").tags
        spoken = load_languages(app.root / "templates", of_mail=True)
    except (MailerError, ConfigurationError) as error:
        for fault in error.faults:
            yield Check("fail", "templates", str(fault))
        return
    yield Check(
        "ok",
        "templates",
        f"the set `{app.publication.templates}` is sound; pages in {', '.join(tags)}",
    )
    yield from _language_checks(app, spoken)


def _language_checks(app: App, spoken: Languages) -> Iterator[Check]:
    places = {"": app.publication.language} | {
        region.slug: region.language for region in app.publication.region_map.values()
    }
    unknown: dict[str, list[str]] = {}
    for slug, tag in places.items():
        if tag and not spoken.has(tag):
            unknown.setdefault(tag, []).append(slug)
    for tag, slugs in unknown.items():
        where = "publication.toml" if "" in slugs else f"subscribers/{slugs[0]}.toml"
        yield Check(
            "warn",
            "templates",
            f"{where}: language: there is no catalogue for {tag!r}; English stands in",
            f"correct the tag, or translate into templates/locales/mail/{tag}.po",
        )
