"""The form for the publisher's own website: a piece of HTML to paste, for one region.

It posts to the region's page for joining, which shows our form filled in; one more press there is
the wish (see ``web/join_pages``). So it needs no script and no key, and a page that was copied or
cached works for ever. It brings no style of its own: it looks like the page it stands on.
"""

from __future__ import annotations

from html import escape

from mailer.app import App
from mailer.errors import ConfigurationError, Fault
from mailer.languages import load_languages


def embeddable_form(app: App, region: str) -> str:
    """Return the HTML of a form for one region's list, in the region's language.

    Raises:
        NotFound: there is no such region.
        ConfigurationError: the readers' web address is not set.
    """
    wanted = app.region(region)
    if not app.settings.web_url:
        raise ConfigurationError(
            Fault(
                "is missing: the form leads there",
                where=".env",
                field="MAILER_WEB_URL",
                remedy="write the https address where your readers reach you",
            )
        )
    language = wanted.language or app.publication.language
    words = load_languages(app.root / "templates").words(language)
    _ = words.gettext
    title = _("Get %(title)s by email") % {"title": app.publication.title}
    values = {
        "action": f"{app.web_url}/join/{wanted.slug}",
        "mark": f"join-{wanted.slug}",
        "lang": words.tag,
        "title": f"{title}: {wanted.name}",
        "address": _("Your mail address"),
        "name": f"{_('Your name')} {_('(if you like)')}",
        "button": _("Sign me up"),
    }
    return _FORM % {name: escape(value) for name, value in values.items()}


_FORM = """\
<form action="%(action)s" method="post" accept-charset="utf-8" lang="%(lang)s">
  <p><strong>%(title)s</strong></p>
  <p><label for="%(mark)s-address">%(address)s</label><br>
  <input id="%(mark)s-address" type="email" name="address" required maxlength="254"
    autocomplete="email"></p>
  <p><label for="%(mark)s-name">%(name)s</label><br>
  <input id="%(mark)s-name" type="text" name="name" maxlength="200" autocomplete="name"></p>
  <p><button type="submit">%(button)s</button></p>
</form>"""
