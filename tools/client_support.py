"""Trim "Can I email" data to what preflight looks at: main mail programs, CSS and HTML features.

    npm pack caniemail && tar xzf caniemail-*.tgz
    python tools/client_support.py package

writes ``mailer/editions/vendored/client_support.json`` and the licence beside it. The data is MIT;
its version and date are kept in the file. Of each program the newest tested version counts.
"""

# ruff: noqa: INP001
from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "mailer" / "editions" / "vendored"
CLIENTS = (
    ("apple-mail", "macos", "Apple Mail (macOS)"),
    ("apple-mail", "ios", "Apple Mail (iOS)"),
    ("gmail", "desktop-webmail", "Gmail (web)"),
    ("gmail", "ios", "Gmail (iOS)"),
    ("gmail", "android", "Gmail (Android)"),
    ("outlook", "windows", "Outlook (Windows)"),
    ("outlook", "outlook-com", "Outlook.com"),
    ("outlook", "macos", "Outlook (macOS)"),
    ("outlook", "ios", "Outlook (iOS)"),
    ("outlook", "android", "Outlook (Android)"),
    ("yahoo", "desktop-webmail", "Yahoo (web)"),
    ("samsung-email", "android", "Samsung Email"),
    ("thunderbird", "macos", "Thunderbird"),
)
CATEGORIES = {"css", "html"}


def trimmed(data: dict[str, Any], version: str) -> dict[str, Any]:
    """Return the features as strings of one letter a client: y, a (partly), n, u (unknown)."""
    return {
        "source": "https://www.caniemail.com",
        "package": f"caniemail {version}",
        "licence": "MIT, see LICENSE.caniemail",
        "dated": data["last_update_date"][:10],
        "clients": [name for _family, _platform, name in CLIENTS],
        "features": {
            feature["slug"]: "".join(
                support(feature["stats"], family, platform) for family, platform, _name in CLIENTS
            )
            for feature in data["data"]
            if feature["category"] in CATEGORIES
        },
    }


def support(stats: dict[str, Any], family: str, platform: str) -> str:
    """Return what the newest tested version of a program makes of a feature, in one letter."""
    versions = list(stats.get(family, {}).get(platform, {}).values())
    return str(versions[-1])[0] if versions else "u"


def main(arguments: list[str]) -> int:
    """Trim the unpacked package in a folder."""
    folder = Path(arguments[0])
    data = json.loads((folder / "data" / "caniemail.json").read_text(encoding="utf-8"))
    version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    TARGET.mkdir(exist_ok=True)
    text = json.dumps(trimmed(data, version), indent=1, ensure_ascii=False)
    (TARGET / "client_support.json").write_text(text + "\n", encoding="utf-8")
    shutil.copyfile(folder / "LICENSE", TARGET / "LICENSE.caniemail")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
