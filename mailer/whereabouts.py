"""Where a publication's folder is: the one that was named, or the nearest at or above this one."""

from __future__ import annotations

from pathlib import Path

from mailer.errors import ConfigurationError, Fault
from mailer.publication import FILE_NAME


def find_root(folder: Path | None) -> Path:
    """Return the publication's folder: the one given, or the nearest at or above this one.

    Raises:
        ConfigurationError: there is none.
    """
    if folder is not None:
        if (folder / FILE_NAME).is_file():
            return folder.resolve()
        raise ConfigurationError(
            Fault(
                f"has no {FILE_NAME}",
                where=str(folder),
                remedy="name a publication's folder, or make one with `mailer init DIR`",
            )
        )
    here = Path.cwd()
    for place in (here, *here.parents):
        if (place / FILE_NAME).is_file():
            return place
    raise ConfigurationError(
        Fault(
            f"no {FILE_NAME} here or above",
            where=str(here),
            remedy="go into a publication's folder, use `--publication DIR`, or make one with "
            "`mailer init DIR`",
        )
    )
