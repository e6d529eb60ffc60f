"""Postfix and Exim on the loopback, each with a private configuration, queue and log.

A server takes mail on a port of its own and hands everything to one next hop. It runs in the
foreground in a session of its own and ends with the test. Both drop to users of their own and so
must be started by root. Exim is looked for on the machine and under ``.ci/exim``, because Debian
lets a machine install only one mail server: ``.ci/run`` unpacks it there beside Postfix.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MASTER = Path("/usr/lib/postfix/sbin/master")
EXIM_USER = "Debian-exim"
STARTUP_S = 20.0

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {folder}
maillog_file = {folder}/log
myhostname = postfix.example
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{next_hop}
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
local_recipient_maps =
smtpd_helo_required = yes
strict_rfc821_envelopes = yes
strict_7bit_headers = yes
strict_8bitmime_body = yes
strict_mime_encoding_domain = yes
smtpd_forbid_bare_newline = yes
smtpd_tls_security_level = may
smtpd_tls_chain_files = {certificate}
"""
MASTER_CF = """
{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
QUEUES = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "private",
    "saved",
    "trace",
    "maildrop",
    "public",
]

EXIM_CONF = """
exim_path = {exim}
spool_directory = {folder}/spool
log_file_path = {folder}/spool/log-%slog
primary_hostname = exim.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
never_users =
host_lookup =
dsn_advertise_hosts = *
smtputf8_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {certificate}
acl_smtp_rcpt = accept
acl_smtp_data = accept
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
begin routers
everything:
  driver = manualroute
  route_list = * 127.0.0.1::{next_hop}
  self = send
  transport = onwards
begin transports
onwards:
  driver = smtp
  allow_localhost
  hosts_try_fastopen =
begin retry
* * F,1h,1s
"""


@dataclass(frozen=True)
class RealServer:
    """A running server: its port, and its log so far."""

    name: str
    port: int
    log_file: Path

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def complaints(self) -> list[str]:
        """Return the lines of the log that find fault with something."""
        words = ("warning", "reject", "error", "fatal", "panic")
        return [line for line in self.log.splitlines() if any(w in line.lower() for w in words)]


@contextmanager
def postfix(next_hop: int, certificate: bytes) -> Iterator[RealServer]:
    """Run Postfix, as strict as it can be."""
    if not MASTER.exists():
        pytest.skip("Postfix is not installed: apt-get install postfix")
    with _folder("postfix") as folder:
        port = _free_port()
        for name in ("spool", "data", "conf", "spool/pid", *(f"spool/{name}" for name in QUEUES)):
            (folder / name).mkdir()
            if name not in {"spool", "conf", "spool/pid"}:
                shutil.chown(folder / name, "postfix")
        (folder / "certificate.pem").write_bytes(certificate)
        values = {"folder": folder, "next_hop": next_hop, "port": port}
        main = MAIN_CF.format(certificate=folder / "certificate.pem", **values)
        (folder / "conf" / "main.cf").write_text(main)
        (folder / "conf" / "master.cf").write_text(MASTER_CF.format(**values))
        environment = {**os.environ, "MAIL_CONFIG": str(folder / "conf")}
        with _running([str(MASTER), "-d"], environment, port):
            yield RealServer("postfix", port, folder / "log")


@contextmanager
def exim(next_hop: int, certificate: bytes) -> Iterator[RealServer]:
    """Run Exim with Debian's defaults and the extensions that have to be asked for."""
    places = (ROOT / ".ci/exim/usr/sbin/exim4", Path("/usr/sbin/exim4"))
    found = next((place for place in places if place.exists()), None)
    if found is None:
        pytest.skip(
            "Exim is not here: apt-get install exim4-daemon-light, or beside another mail server "
            "unpack it into .ci/exim as .ci/run does"
        )
    try:
        pwd.getpwnam(EXIM_USER)
    except KeyError:
        pytest.skip(f"Exim has no user of its own: useradd --system {EXIM_USER}")
    with _folder("exim") as folder:
        port = _free_port()
        (folder / "spool").mkdir()
        (folder / "certificate.pem").write_bytes(certificate)
        for path in (folder / "spool", folder / "certificate.pem"):
            shutil.chown(path, EXIM_USER)
        conf = folder / "exim.conf"
        conf.write_text(
            EXIM_CONF.format(
                exim=found,
                folder=folder,
                port=port,
                next_hop=next_hop,
                certificate=folder / "certificate.pem",
            )
        )
        with _running([str(found), "-C", str(conf), "-bdf"], dict(os.environ), port):
            yield RealServer("exim", port, folder / "spool" / "log-mainlog")


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip(f"{name} drops to users of its own: run the tests as root")
    # Not tmp_path: the server's own users must be able to come in.
    with tempfile.TemporaryDirectory(prefix=f"mailer-{name}-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def _running(command: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + STARTUP_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    process.kill()
                    said, _ = process.communicate()
                    pytest.fail(f"{command[0]} did not start: {said.decode(errors='replace')}")
                time.sleep(0.05)
        yield
    finally:
        # The server's workers are in its session and end with it.
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, how)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        if process.stdout and not process.stdout.closed:
            process.communicate()
