"""Postfix and Dovecot of Debian, started for the tests on loopback in a folder of their own: mail servers not ours.

`crm.test` is ours (support@, with a folder for sent mail), `kund.test` is where the customer lives (carl@), and
ghost@kund.test is known to Postfix and not to Dovecot, so that mail to it comes back.
"""

import grp
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.channels_adapters.email.certificates import make_certificates

PASSWORD = "pass word"
PEOPLE = ("support@crm.test", "carl@kund.test", "eva@kund.test")
_PATIENCE = 20.0  # seconds


def missing() -> str:
    """What the servers lack on this machine; '' when they can run."""
    if not all(shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") for program in ("postfix", "dovecot")):
        return "Postfix and Dovecot are not installed: .ci/run does that"
    return "" if os.geteuid() == 0 else "Postfix only starts as root"


@dataclass
class MailServers:
    folder: Path
    smtp: int
    smtps: int
    imap: int
    imaps: int
    authority: Path  # the certificate of who signed theirs
    oauth: "Tokens" = field(default_factory=lambda: Tokens())

    def settings(self, **more: str) -> dict[str, str]:
        """What `manage.py connect email` needs for support@crm.test."""
        return {
            "address": "support@crm.test",
            "username": "support@crm.test",
            "password": PASSWORD,
            "smtp_host": "localhost",
            "smtp_port": str(self.smtp),
            "smtp_security": "none",
            "imap_host": "localhost",
            "imap_port": str(self.imap),
            "imap_security": "none",
            "auth_server": "mx.crm.test",
            "api_url": "smtp://localhost",
            **more,
        }


class Tokens:
    """An OAuth provider: gives an access token for `refresh`, and tells Dovecot whose one is."""

    def __init__(self) -> None:
        self.given, self.is_open = 0, True
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
        self._server.tokens = self  # type: ignore[attr-defined]
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Provider(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("access_token", [""])[0]
        known = {"email": "support@crm.test", "active": True} if token == "good-token" else {"error": "invalid"}
        self._say(200 if "email" in known else 401, known)

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        tokens: Tokens = self.server.tokens  # type: ignore[attr-defined]
        good = asked.get("refresh_token") == ["refresh"] and tokens.is_open
        tokens.given += good
        self._say(*((200, {"access_token": "good-token", "expires_in": 3600}) if good else (400, {"error": "revoked"})))

    def _say(self, status: int, said: dict) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def mail_servers() -> Iterator[MailServers]:
    folder = Path(tempfile.mkdtemp(prefix="mail-"))
    folder.chmod(0o755)  # Postfix gives its rights away before it reads
    tokens = Tokens()
    try:
        make_certificates(folder)
        ports = dict(zip(("smtp", "smtps", "imap", "imaps", "lmtp", "auth"), _free_ports(6), strict=True))
        dovecot, postfix = _write_dovecot(folder, ports, tokens), _write_postfix(folder, ports)
        _run("dovecot", "-c", str(dovecot))
        try:
            _run("postfix", "-c", str(postfix), "start")
            try:
                for name in ("smtp", "imap", "lmtp"):
                    _wait_for(ports[name])
                told = {name: ports[name] for name in ("smtp", "smtps", "imap", "imaps")}
                yield MailServers(folder, authority=folder / "authority.pem", oauth=tokens, **told)
            finally:
                _run("postfix", "-c", str(postfix), "stop")
        finally:
            _run("doveadm", "-c", str(dovecot), "stop")
    finally:
        tokens.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _run(program: str, *arguments: str) -> None:
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    with tempfile.TemporaryFile() as output:  # no pipe: the servers would keep it open
        command = [str(path), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=60)
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {output.read().decode()[-800:]}")


def _wait_for(port: int) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the mail servers did not start")


def _write_dovecot(folder: Path, ports: dict[str, int], tokens: Tokens) -> Path:
    owner, group = pwd.getpwnam("mail").pw_uid, grp.getgrnam("mail").gr_gid
    boxes = folder / "vmail"
    boxes.mkdir()
    os.chown(boxes, owner, group)
    (folder / "users").write_text("".join(f"{person}:{{PLAIN}}{PASSWORD}::::::\n" for person in PEOPLE))
    (folder / "oauth.conf").write_text(f"tokeninfo_url = {tokens.url}/?access_token=\nusername_attribute = email\n")
    path = folder / "dovecot.conf"
    path.write_text(
        f"""protocols = imap lmtp
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_location = maildir:{boxes}/%d/%n
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth.conf
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
  default_fields = uid={owner} gid={group} home={boxes}/%d/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {ports["imap"]}
  }}
  inet_listener imaps {{
    port = {ports["imaps"]}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {ports["lmtp"]}
  }}
}}
service auth {{
  inet_listener {{
    port = {ports["auth"]}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""
    )
    return path


def _write_postfix(folder: Path, ports: dict[str, int]) -> Path:
    postfix = folder / "pf"
    (folder / "queue").mkdir()
    (folder / "state").mkdir()
    shutil.chown(folder / "state", "postfix", "postfix")
    postfix.mkdir()
    (postfix / "vmap").write_text("".join(f"{person} x\n" for person in (*PEOPLE, "ghost@kund.test")))
    (postfix / "main.cf").write_text(
        f"""compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/state
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
myhostname = mx.crm.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = crm.test, kund.test
virtual_mailbox_maps = hash:{postfix}/vmap
virtual_transport = lmtp:inet:127.0.0.1:{ports["lmtp"]}
lmtp_destination_recipient_limit = 1
default_transport = error:no outside network
relay_transport = error:no outside network
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{ports["auth"]}
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/server.pem
smtpd_tls_key_file = {folder}/server.key
message_size_limit = 5242880
mailbox_size_limit = 0
recipient_delimiter = +
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
alias_maps =
alias_database =
smtpd_error_sleep_time = 0
"""
    )
    master = Path("/etc/postfix/master.cf").read_text()
    lines = [line for line in master.split("\n") if not line.startswith(("smtp ", "relay ", "#", " "))]
    lines = [" ".join([*line.split()[:4], "n", *line.split()[5:]]) if len(line.split()) > 7 else line for line in lines]
    lines += [
        f"127.0.0.1:{ports['smtp']} inet n - n - - smtpd",
        "smtp unix - - n - - smtp",
        "relay unix - - n - - smtp",
    ]
    lines += [f"127.0.0.1:{ports['smtps']} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes"]
    (postfix / "master.cf").write_text("\n".join(lines) + "\n")
    _run("postmap", "-c", str(postfix), f"hash:{postfix}/vmap")
    return postfix
