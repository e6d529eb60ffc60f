"""When two addresses of the web are one page: the key that they share.

Leaves out what changes how a page is reached but not which it is: the scheme, ``www.``, default
ports, fragments, slashes, white space and ``index.html`` at the end, the order of parameters, and
parameters that only count readers. A site's front page is no article's address and has no key.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

_COUNTING = re.compile(
    r"(?:utm_\w+|at_(?:medium|campaign|link\w*|format|bbc\w*|ptr_\w*|custom\d)|mc_[ce]id|mtm_\w+|"
    r"pk_\w+|hsa_\w+|oly_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|twclid|"
    r"_ga|_gl|cmpid|ito|ref_src|spm|xtor|rss|ns_\w+|s_cid|wt\.\w+)",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[A-Za-z0-9/~!$&'()*+,;=:@._-]*")
"""A path in which nothing is quoted and nothing has to be."""
_SLASHES = re.compile(r"/{2,}")
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?)\Z", re.IGNORECASE)
_LONGEST_INDEX = len("/default.aspx")


def without_counters(url: str) -> str:
    """Return an address without fragment and without the parameters that only count readers."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    kept, is_whole = _telling(parts.query)
    query = parts.query if is_whole else urlencode(kept)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def url_key(url: str) -> str:
    """Return what all addresses of one page have in common, or "" when it is none's."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        query = urlencode(sorted(_telling(parts.query)[0]))
    except ValueError:
        return ""
    host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    if parts.scheme not in {"http", "https"} or not host:
        return ""
    is_plain = _PLAIN.fullmatch(parts.path) is not None
    path = parts.path if is_plain else unquote(parts.path).strip()
    path = _without_end(_SLASHES.sub("/", path))
    if not is_plain:
        path = quote(path, safe="/~!$&'()*+,;=:@-._", errors="replace")
    if not path and not query:
        return ""
    place = host if port in {None, 80, 443} else f"{host}:{port}"
    return f"{place}{path}?{query}" if query else f"{place}{path}"


def _without_end(path: str) -> str:
    """Return a path without what stands at its end and says nothing."""
    # Not by one pattern: where it may begin anywhere it takes the square of the time.
    end = len(path)
    while True:
        while end and (path[end - 1] == "/" or path[end - 1].isspace()):
            end -= 1
        found = _INDEX.search(path, max(0, end - _LONGEST_INDEX), end)
        if found is None:
            return path[:end]
        end = found.start()


def _telling(query: str) -> tuple[list[tuple[str, str]], bool]:
    """Return the parameters that say which page it is, and whether those are all."""
    if not query:
        return [], True
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not _COUNTING.fullmatch(name)]
    return kept, len(kept) == len(pairs)
