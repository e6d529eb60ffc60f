"""Bad input of every kind: one line a fault with file, line and field, and nothing half-done."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.driving import ISSUE, Mailer, Said, change

IMPORT = ("subscribers", "import", "--basis", "consent")


def one_line(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.err
    assert len(said.error_lines) == 1, said.err
    for word in words:
        assert word in said.error_lines[0], said.error_lines[0]
    assert "Traceback" not in said.err


def test_no_publication(mailer: Mailer, tmp_path: Path) -> None:
    one_line(mailer("articles", folder=tmp_path), 3, "publication.toml", "mailer init")


def test_publication_faults_come_all_at_once(mailer: Mailer, publication: Path) -> None:
    path = publication / "publication.toml"
    change(path, r"^time_zone = .*$", 'time_zone = "Europe/Lundon"')
    change(path, r"^send_time = .*$", 'send_time = "25:00"')
    change(publication / "subscribers" / "wales.toml", r"^parent = .*$", 'parent = "nowhere"')
    change(publication / ".env", r"^MAILER_RELAY_PORT=.*$", "MAILER_RELAY_PORT=smtp")
    said = mailer("articles")
    assert said.code == 3
    lines = "\n".join(said.error_lines)
    for words in (
        ("publication.toml:", "time_zone", "Europe/Lundon"),
        ("publication.toml:", "schedule.send_time", "25:00"),
        ("wales.toml", "parent", "nowhere"),
        (".env:", "MAILER_RELAY_PORT"),
    ):
        assert any(all(word in line for word in words) for line in said.error_lines), lines


def test_a_key_that_is_not_known(mailer: Mailer, publication: Path) -> None:
    path = publication / "publication.toml"
    path.write_text("titel = 'x'\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    one_line(mailer("articles"), 3, "publication.toml:1", "titel", "spelling")


def test_broken_toml_names_its_line(mailer: Mailer, publication: Path) -> None:
    path = publication / "publication.toml"
    change(path, r"^time_zone = .*$", "time_zone = ")
    number = path.read_text(encoding="utf-8").splitlines().index("time_zone = ") + 1
    one_line(mailer("articles"), 3, f"publication.toml:{number}")


def test_what_only_sending_needs_does_not_stop_a_preview(
    mailer: Mailer, publication: Path, drafted: Path, tmp_path: Path
) -> None:
    change(publication / "publication.toml", r"^postal_address = .*$", 'postal_address = ""')
    change(publication / ".env", r"^MAILER_SECRET_KEY=.*$", "MAILER_SECRET_KEY=")
    assert mailer("preview", "next", "--out", tmp_path / "out").code == 0
    said = mailer("send", "next", "--yes")
    assert said.code == 3
    assert any("postal_address" in line for line in said.error_lines)
    assert any("MAILER_SECRET_KEY" in line for line in said.error_lines)


def test_roster_rows(mailer: Mailer, tmp_path: Path) -> None:
    roster = tmp_path / "wales.csv"
    roster.write_text("email,name\ngood@reader.example,Good\nnot an address,Bad\n", "utf-8")
    said = mailer(*IMPORT, roster, "--region", "wales", "--json")
    assert said.code == 8
    assert (said.data["added"], said.data["rejected"]) == (1, 1)
    (problem,) = said.data["problems"]
    assert problem["line"] == 3
    assert "wales.csv:3" in problem["message"]


def test_a_roster_without_addresses(mailer: Mailer, tmp_path: Path) -> None:
    roster = tmp_path / "wales.csv"
    roster.write_text("colour,shape\nred,round\n", "utf-8")
    one_line(mailer(*IMPORT, roster, "--region", "wales"), 1, "wales.csv", "email")
    one_line(mailer(*IMPORT, roster, "--region", "wels"), 4, "wels", "wales")


def test_a_roster_without_a_lawful_basis(mailer: Mailer, tmp_path: Path) -> None:
    roster = tmp_path / "wales.csv"
    roster.write_text("email\nada@reader.example\n", "utf-8")
    words = ("subscribers", "import", roster, "--region", "wales")
    one_line(mailer(*words), 1, "basis", "GDPR article 6", "--basis consent")
    one_line(mailer(*words, "--basis", "hope"), 1, "'hope' is no lawful basis", "contract")
    one_line(mailer("subscribers", "import", "--all"), 1, "an import needs a lawful basis")
    assert mailer("subscribers", "show", "ada@reader.example").code == 4


def test_rosters_in_and_out(mailer: Mailer, tmp_path: Path) -> None:
    roster = tmp_path / "old.csv"
    roster.write_text(
        "email,name,town,status,since\n"
        "ada@reader.example,Ada,Quay,subscribed,2024-05-01\n"
        "bob@reader.example,Bob,Quay,unsubscribed,2024-06-01\n"
        "cyd@reader.example,Cyd,Quay,bounced,2024-07-01\n",
        "utf-8",
    )
    tried = mailer(*IMPORT, roster, "--region", "wales", "--dry-run", "--json")
    assert (tried.code, tried.data["dry_run"], tried.data["problems"]) == (0, True, [])
    assert mailer("subscribers", "show", "ada@reader.example").code == 4
    said = mailer(*IMPORT, roster, "--region", "wales", "--json")
    assert [said.data[word] for word in ("added", "left", "suppressed")] == [1, 1, 1]
    newest = mailer("subscribers", "imports", "--json").data[0]
    assert (newest["file"], newest["basis"], newest["rows"]) == ("old.csv", "consent", 3)
    assert "old.csv" in mailer("subscribers", "imports").out
    out = tmp_path / "all.csv"
    assert mailer("subscribers", "export", "-r", "wales", "--state", "all", "--out", out).code == 0
    lines = out.read_text("utf-8").splitlines()
    assert lines[0] == "email,name,status,since,language,town"
    assert "ada@reader.example,Ada,confirmed,2024-05-01T00:00:00Z,,Quay" in lines
    assert "bob@reader.example,,unsubscribed,2024-06-01T00:00:00Z,," in lines
    confirmed = mailer("subscribers", "export", "--region", "wales").out
    assert "ada@reader.example" in confirmed
    assert "bob@reader.example" not in confirmed


def test_all_rosters_as_json_are_a_list(mailer: Mailer) -> None:
    said = mailer(*IMPORT, "--all", "--json")
    assert said.code == 0
    assert {row["added"] for row in said.data} == {0}
    assert all(row["already"] == row["rows"] for row in said.data)


def test_front_matter(mailer: Mailer, tmp_path: Path) -> None:
    bad = tmp_path / "bad.md"
    bad.write_text("---\ntitle: A piece\ndate: [unclosed\n---\nText.\n", "utf-8")
    good = tmp_path / "good.md"
    good.write_text("---\ntitle: Another piece\ndate: 2026-11-26\n---\nSome text.\n", "utf-8")
    said = mailer("ingest", bad, good, "--json")
    assert said.code == 8
    assert len(said.error_lines) == 1
    assert "bad.md:" in said.error_lines[0]
    assert [row["title"] for row in said.data["articles"]] == ["Another piece"]


def test_hostile_html(mailer: Mailer, tmp_path: Path) -> None:
    deep = tmp_path / "deep.html"
    deep.write_text("<title>Deep</title>" + "<div>" * 20_000 + "x", "utf-8")
    said = mailer("ingest", deep, "--json")
    assert said.code == 8
    assert "deep.html" in said.error_lines[0]
    assert "Deep" not in {row["title"] for row in mailer("articles", "--json").data}


def test_an_issue_naming_an_unknown_article(mailer: Mailer, drafted: Path) -> None:
    known = mailer("issue", "show", "next", "--json").data["blocks"][0]["picks"][0]["article"]
    change(drafted, rf"^    - {known}$", f"    - {known}x")
    lines = drafted.read_text(encoding="utf-8").splitlines()
    number = lines.index(f"    - {known}x") + 1
    said = mailer("issue", "approve", "next")
    one_line(said, 1, f"{ISSUE}.md:{number}", f"{known}x", known)
    assert mailer("issue", "list", "--json").data[0]["state"] == "draft"


def test_a_template_with_a_typo(mailer: Mailer, publication: Path, drafted: Path) -> None:
    from mailer.resources import templates_dir

    override = publication / "templates" / "briefing"
    override.mkdir(parents=True)
    shutil.copy(templates_dir() / "briefing" / "body.txt.j2", override)
    text = (override / "body.txt.j2").read_text(encoding="utf-8")
    (override / "body.txt.j2").write_text("{{ publication.titel }}\n" + text, encoding="utf-8")
    one_line(mailer("preview", "next"), 6, "body.txt.j2:1", "titel")


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("issue", "show", "2026-12-07"), 4, "issue draft"),
        (("issue", "show", "soon"), 4, "next"),
        (("why", "no-such-article"), 4, "no-such-article"),
        (("subscribers", "show", "nobody@reader.example"), 4, "nobody@reader.example"),
        (("subscribers", "add", "not-an-address", "--region", "wales"), 1, "not-an-address"),
        (("ingest", "missing.md"), 8, "missing.md"),
        (("inbox", "show", "../../etc/passwd"), 4, "inbox"),
    ],
)
def test_one_clear_line(mailer: Mailer, words: tuple[str, ...], code: int, expected: str) -> None:
    one_line(mailer(*words), code, expected)


def test_the_relay_is_down(
    mailer: Mailer, drafted: Path, nowhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_RELAY_PORT", str(nowhere))
    mailer("issue", "approve", "next")
    said = mailer("send", "next", "--yes", "--json")
    assert said.code == 8
    assert "MAILER_RELAY_HOST" in said.data["stopped"]
    assert said.data["totals"].get("planned") == said.data["total"] > 0


def test_before_anything_was_drafted(mailer: Mailer, fresh: Path) -> None:
    one_line(mailer("issue", "show", "latest", folder=fresh), 4, "issue draft")
    one_line(mailer("issue", "approve", "next", folder=fresh), 4, "issue draft")
    one_line(mailer("ledger", folder=fresh), 4, "issue draft")


@pytest.mark.parametrize(
    "command",
    [
        ("inbox", "serve", "--smtp-port=65536"),
        ("inbox", "serve", "--web-port=-1"),
        ("demo", "--port=70000"),
    ],
)
def test_a_port_beyond_all_ports(
    mailer: Mailer, publication: Path, command: tuple[str, ...]
) -> None:
    option = command[-1]
    said = mailer(*command)
    assert said.code == 2
    assert f"Invalid value for '{option.partition('=')[0]}'" in said.err


def test_an_embargo_in_the_wrong_place_is_said_on_every_run(
    mailer: Mailer, publication: Path
) -> None:
    path = publication / "articles" / "waits.md"
    path.write_text("---\ntitle: It waits\nembargo: 2026-12-24\n---\nA text.\n", encoding="utf-8")
    for _ in range(2):
        said = mailer("ingest")
        assert said.code == 0
        [line] = [line for line in said.err.splitlines() if line.startswith("warning:")]
        assert line.endswith(
            "articles/waits.md:3: embargo: is not read here and has no effect; "
            "write it under `briefing:`, as `embargo:`"
        )
    [warning] = mailer("ingest", "--json").data["warnings"]
    assert (warning["line"], warning["field"]) == (3, "embargo")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("{outside}/secret.txt", "is a link that leads out of the publication's folder"),
        ("nowhere.txt", "is a link to a file that is not there"),
        ("link.txt", "is a link to a file that is not there"),
        ("{outside}", "is a link to a folder"),
    ],
)
def test_a_link_among_the_articles_takes_nothing_in(
    mailer: Mailer, publication: Path, tmp_path: Path, target: str, problem: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("A secret of this machine.\n\nIts text.", encoding="utf-8")
    (publication / "articles" / "link.txt").symlink_to(target.format(outside=outside))
    one_line(mailer("ingest"), 8, "articles/link.txt", problem)
    assert "secret" not in mailer("articles").out


def test_a_link_within_the_publication_is_followed(mailer: Mailer, publication: Path) -> None:
    (publication / "desk").mkdir()
    path = publication / "desk" / "text.txt"
    path.write_text("A text of the desk.\n\nIt says what it says.", encoding="utf-8")
    (publication / "articles" / "link.txt").symlink_to(path)
    assert mailer("ingest").code == 0
    assert "desk/text.txt" in mailer("articles", "--json").out
