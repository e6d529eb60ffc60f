"""Goes through docs/operations.md on a bare server, as a new operator does: every line.

    python tests/ops/rehearsal.py --through "ssh root@SERVER"

The server is a fresh Debian, 12 or newer, with systemd and curl, that may be thrown away: a virtual
machine, or a container that boots. `--through` is what a command there is put behind. The source as
it is committed is copied to `/opt/mailer-source`. Lines marked `shell` are typed by root and lines
marked `sh` by the user `mailer`, each in a bash that stays, and each must end as the handbook says.
Between the blocks it looks whether what the handbook promises is so. Mail goes to the inbox on that
server; the name server that is asked does not answer. It takes about a quarter of an hour.

Where all is well, it writes the lines into `typed.txt`, and a test holds the handbook to that file:
whoever changes a line there runs this again. It ends at the first thing that is not as it should.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = "/opt/mailer-source"
RECORD = Path(__file__).with_name("typed.txt")
PRINTED_MONDAY = "2026-11-30"
BLOCK = re.compile(r"^## ([^\n]+)$|^```(sh|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"  # (\d+)$")
ENDLESS = re.compile(r"--follow\b|--watch\b")
TYPISTS = {"shell": "root", "sh": "mailer"}


@dataclass(frozen=True)
class Line:
    """A line of the handbook: under which heading, of which block there, typed by whom."""

    heading: str
    block: int
    who: str
    text: str

    @property
    def place(self) -> tuple[str, int]:
        """The block it stands in."""
        return self.heading, self.block

    @property
    def expected(self) -> int:
        found = EXPECTED.search(self.text)
        return int(found[1]) if found else 0


def lines_of(handbook: str) -> list[Line]:
    """Return every line that is to be typed, in order."""
    found: list[Line] = []
    heading, block = "", 0
    for match in BLOCK.finditer(handbook):
        if match[1]:
            heading, block = match[1], 0
            continue
        block += 1
        found += [
            Line(heading, block, TYPISTS[match[2]], text)
            for text in match[3].splitlines()
            if text.strip() and not text.startswith("#")
        ]
    return found


def recorded(lines: list[Line]) -> str:
    """Return what the record of these lines looks like."""
    return "".join(f"{line.who}: {line.text}\n" for line in lines)


class Typist:
    """A bash that stays; a line is typed and its end is waited for."""

    def __init__(self, through: list[str], command: str) -> None:
        self._bash = subprocess.Popen(
            [*through, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, text: str) -> tuple[int, str]:
        """Return how a line ended and what it said."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        if ENDLESS.search(text):
            text = f"timeout 5 {text}; test $? = 124"
        self._bash.stdin.write(f"{text}\nprintf '\\n@@ended %s\\n' $?\n")
        self._bash.stdin.flush()
        said: list[str] = []
        for line in self._bash.stdout:
            if line.startswith("@@ended "):
                return int(line.split()[1]), "".join(said).strip()
            said.append(line)
        raise SystemExit(f"the shell ended over: {text}")

    def close(self) -> None:
        """End it."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.close()
        self._bash.wait(10)
        self._bash.stdout.close()

    def must(self, text: str) -> str:
        """Return what a line said that has to go well."""
        code, said = self.type(text)
        if code:
            raise SystemExit(f"{text}\n{said}\n-> {code}")
        return said


class Rehearsal:
    """The two typists, and what is looked at between the blocks."""

    def __init__(self, through: list[str]) -> None:
        self._through = through
        self.root = Typist(through, "bash --norc")
        self.mailer: Typist | None = None
        self.monday = coming_monday(datetime.now(UTC).date())

    def type(self, line: Line) -> None:
        """Type a line, and end the rehearsal unless it ends as the handbook says."""
        if line.who == "mailer" and self.mailer is None:
            self.mailer = Typist(self._through, "runuser -l mailer -c 'bash --norc'")
            self.root.must(f"printf %s {shlex.quote(EDITOR)} > {EDITING}; chmod 755 {EDITING}")
            self.mailer.must(f"export EDITOR={EDITING}")
        typist = self.root if line.who == "root" else self.mailer
        assert typist is not None
        text = line.text.replace(PRINTED_MONDAY, str(self.monday))
        say(f"{line.who}$ {text}")
        started = time.monotonic()
        code, said = typist.type(text)
        say("\n".join(f"    {each}" for each in said.splitlines()[-12:]))
        if code != line.expected:
            raise SystemExit(f"{said}\nended with {code}, not {line.expected}: {text}")
        if time.monotonic() - started > 20:
            say(f"    ({time.monotonic() - started:.0f} s)")

    # What is looked at when a block has been typed.

    def after_init(self) -> None:
        """The mail goes to an inbox here, and names are asked of nobody."""
        assert self.mailer is not None
        self.mailer.must("echo MAILER_DNS_SERVER=127.0.0.1:5399 >> /srv/lantern/.env")
        self.start_inbox()

    def start_inbox(self) -> None:
        self.root.must(
            "systemd-run --quiet --unit=loopback-inbox --property=User=mailer "
            "/opt/mailer/bin/mailer -C /srv/lantern inbox serve"
        )
        self.until("ss -ltn | grep -q 127.0.0.1:2525", seconds=20)

    def service_runs(self) -> None:
        root = self.root
        root.must("systemctl is-active mailer.service mailer-backup.timer")
        self.ready()
        root.must(f"curl -fsS http://{HEALTH}/metrics | grep -q '^mailer_part_up.*1'")
        root.must("curl -fsS http://127.0.0.1:8080/ | grep -q '<title>'")
        say(root.must("systemd-analyze security --no-pager mailer.service | tail -1"))
        before = self.main_pid()
        root.must("systemctl reload mailer")
        time.sleep(3)
        self.ready()
        if self.main_pid() != before:
            raise SystemExit("a reload must keep the supervisor")
        root.must("kill -9 $(systemctl show --property MainPID --value mailer)")
        self.until("test $(systemctl show --property NRestarts --value mailer) = 1", seconds=30)
        self.ready()
        self.stops_in_time()
        root.must("systemctl start mailer")
        self.ready()
        root.must("systemctl start mailer-backup.service")
        root.must("ls -1 /var/backups/mailer/*.backup.tar.gz")
        root.must("systemctl list-timers --no-pager | grep mailer-backup")

    def stops_in_time(self) -> None:
        started = time.monotonic()
        self.root.must("systemctl stop mailer")
        took_s = time.monotonic() - started
        say(f"    stopped in {took_s:.1f} s")
        if took_s > 10:
            raise SystemExit("the handbook promises ten seconds")
        self.root.must("test $(systemctl show --property Result --value mailer) = success")
        self.root.must("! ps -u mailer -o args= | grep -v inbox | grep -q 'mailer.* run'")

    def timer_ticks(self) -> None:
        """The other way: a timer looks, and the pages are a service of their own."""
        root = self.root
        self.until("journalctl -u mailer-tick.service -o cat | grep -q Finished", seconds=130)
        root.must("curl -fsS http://127.0.0.1:8080/ | grep -q '<title>'")
        root.must("systemctl disable --now mailer-tick.timer mailer-pages.service")
        root.must("systemctl enable --now mailer.service")
        self.ready()

    def a_monday_goes_out(self) -> None:
        """Make today a day of issues, and see the service send at the hour."""
        root, mailer = self.root, self.mailer
        assert mailer is not None
        at = root.must("TZ=Europe/London date --date '3 minutes' +'%F %a %H:%M'").split()
        today, weekday, hour = at[0], at[1].lower(), at[2]
        edit = f's/^send_day = .*/send_day = "{weekday}"/; s/^send_time = .*/send_time = "{hour}"/'
        files = "publication.toml subscribers/*.toml"
        mailer.must(f"tar -cf /tmp/files-before.tar {files}")
        mailer.must(f"sed -i {shlex.quote(edit)} {files}")
        mailer.must(f"mailer issue draft {today}")
        mailer.must(f"$EDITOR issues/{today}.md")
        mailer.must(f"mailer issue approve {today}")
        wanted = mailer.must(f"mailer send {today} --dry-run --json | {TOTAL}")
        before = int(mailer.must("mailer inbox list --json | grep -c '\"id\"' || true"))
        say(f"    {wanted} readers, at {hour}")
        self.until(
            f"runuser -l mailer -c 'mailer -C /srv/lantern issue show {today} --json' "
            '| grep -q \'"state": "sent"\'',
            seconds=420,
        )
        took = int(mailer.must("mailer inbox list --json | grep -c '\"id\"'")) - before
        say(f"    {took} mails in the inbox; {self.journal('schedule.done')}")
        if took < int(wanted):
            raise SystemExit(f"{took} mails for {wanted} readers")
        mailer.must("tar -xf /tmp/files-before.tar")

    def make_newer(self) -> None:
        """What was fetched is a newer version: one migration more."""
        storage = f"{SOURCE}/mailer/storage"
        self.root.must(f"cp -r {SOURCE} /tmp/source-before")
        self.root.must(f'sed -i \'s/^HEAD = "0001"/HEAD = "0002"/\' {storage}/database.py')
        self.root.must(
            f"printf %s {shlex.quote(MIGRATION)} > {storage}/migrations/versions/0002.py"
        )

    def there_and_back(self, upgrade: list[Line], back: list[Line]) -> None:
        """Upgrade the database on PostgreSQL, and go back."""
        say("\n== Upgrade on PostgreSQL, and the way back")
        self.make_newer()
        for line in upgrade:
            self.type(line)
        self.is_newer()
        self.make_older()
        self.root.must("systemctl stop mailer")
        self.root.must(
            f"cd {SOURCE} && /opt/mailer/bin/pip install --no-deps --no-build-isolation ."
        )
        for line in back:
            self.type(line)
        self.root.must("systemctl start mailer")
        self.ready()

    def is_newer(self) -> None:
        self.ready()
        self.root.must(f'curl -fsS http://{HEALTH}/readyz | grep -q \'"schema": "ok"\'')

    def make_older(self) -> None:
        self.root.must(f"rm -r {SOURCE} && mv /tmp/source-before {SOURCE}")

    def after_way_back(self) -> None:
        self.ready()
        self.stops_in_time()
        self.root.must("systemctl start mailer")

    def on_postgresql(self) -> None:
        """The service works there, and its timer backs it up."""
        self.ready()
        self.root.must("systemctl start mailer-backup.service")
        self.root.must("journalctl -u mailer-backup -o cat | tail -3 | grep Finished")

    def ready(self) -> None:
        self.until(
            f"curl -fsS http://{HEALTH}/healthz && curl -fsS http://{HEALTH}/readyz", seconds=90
        )

    def main_pid(self) -> str:
        return self.root.must("systemctl show --property MainPID --value mailer")

    def journal(self, word: str) -> str:
        return self.root.must(f"journalctl -u mailer -o cat | grep {word} | tail -1")

    def until(self, text: str, *, seconds: float) -> None:
        """Wait for a command to go well."""
        until = time.monotonic() + seconds
        while (ended := self.root.type(text))[0]:
            if time.monotonic() > until:
                raise SystemExit(f"not within {seconds:.0f} s: {text}\n{ended[1]}")
            time.sleep(1)


HEALTH = "127.0.0.1:9180"
EDITING = "/tmp/edit-the-draft"
EDITOR = """\
#!/opt/mailer/bin/python
import pathlib, sys
from mailer.cli.demonstration import edited
path = pathlib.Path(sys.argv[1])
path.write_text(edited(path.read_text(encoding="utf-8")), encoding="utf-8")
"""
MIGRATION = """\
from alembic import op
import sqlalchemy as sa
revision = "0002"
down_revision = "0001"
def upgrade():
    op.create_table("rehearsal", sa.Column("id", sa.Integer))
"""
TOTAL = (
    "/opt/mailer/bin/python -c 'import json, sys; "
    'print(sum(len(region["readers"]) for region in json.load(sys.stdin)["regions"]))\''
)

Look = Callable[[Rehearsal], None]
BEFORE: dict[tuple[str, int], Look] = {
    ("Upgrade", 1): Rehearsal.make_newer,
    ("Upgrade", 3): Rehearsal.make_older,
}
AFTER: dict[tuple[str, int], Look] = {
    ("A bare server", 2): Rehearsal.after_init,
    ("The service", 1): Rehearsal.service_runs,
    ("The service", 2): Rehearsal.timer_ticks,
    ("The first Monday", 2): Rehearsal.a_monday_goes_out,
    ("Upgrade", 1): Rehearsal.is_newer,
    ("Upgrade", 3): Rehearsal.after_way_back,
    ("To PostgreSQL", 3): Rehearsal.on_postgresql,
}
LAST = ("Upgrade", 4)
"""The way back on PostgreSQL: typed at the very end, when there is one and it was upgraded."""


def coming_monday(today: date) -> date:
    """Return today when it is Monday, else the next one."""
    return today + timedelta(days=-today.weekday() % 7)


def copy_source(through: list[str]) -> None:
    """Bring what is committed to the server."""
    packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True)
    unpack = f"mkdir -p {SOURCE} && tar -x -C {SOURCE}"
    subprocess.run([*through, unpack], input=packed.stdout, check=True)


def nothing(_rehearsal: Rehearsal) -> None:
    """Look at nothing."""


def say(text: str) -> None:
    """Print for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Go through the handbook."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--through", required=True, metavar="COMMAND", help="the way there")
    parser.add_argument("--until", default="", metavar="HEADING", help="end before this heading")
    parser.add_argument("--since", default="", metavar="HEADING", help="a server that came so far")
    asked = parser.parse_args()
    through = shlex.split(asked.through)
    lines = lines_of((ROOT / "docs" / "operations.md").read_text())
    copy_source(through)
    rehearsal = Rehearsal(through)
    if asked.since:
        lines = lines[[line.heading for line in lines].index(asked.since) :]
        rehearsal.root.must(f"cd {SOURCE}")
        rehearsal.type(Line("", 0, "mailer", "cd /srv/lantern"))
    upgrade = [line for line in lines if line.place == ("Upgrade", 1)]
    last = [line for line in lines if line.place == LAST]
    typed = [line for line in lines if line.place != LAST]
    for number, line in enumerate(typed):
        if asked.until and line.heading == asked.until:
            return
        if number == 0 or typed[number - 1].place != line.place:
            say(f"\n== {line.heading}, block {line.block}")
            BEFORE.get(line.place, nothing)(rehearsal)
        rehearsal.type(line)
        if number + 1 == len(typed) or typed[number + 1].place != line.place:
            AFTER.get(line.place, nothing)(rehearsal)
    rehearsal.there_and_back(upgrade, last)
    if not asked.since:
        RECORD.write_text(recorded(lines))
    say(f"{len(lines)} lines, each as the handbook says.")


if __name__ == "__main__":
    main()
