"""A cluster of our own: two web processes, one that works, one with the schedule, behind nginx, on real stores."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from tests.installation import ROOT, Installation, answers, wait_until
from tests.servers import Postgres, Redis, Server, binary, free_port

NGINX_FILE = ROOT / "docs" / "nginx.conf"
MAIN = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    log_format tried '$time_iso8601 $request -> $status by $upstream_addr: $upstream_status, $upstream_response_time';
    access_log {folder}/access.log tried;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/rapport.conf;
}}
"""


class Nginx(Server):
    """nginx with the file that docs/ tells people to use, before the given ports."""

    def __init__(self, *ports: int) -> None:
        super().__init__()
        text = NGINX_FILE.read_text().replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        for documented, port in zip((8001, 8002), ports, strict=True):
            text = text.replace(f"127.0.0.1:{documented}", f"127.0.0.1:{port}")
        (self.folder / "rapport.conf").write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(MAIN.format(folder=self.folder, user=user))

    def failures(self) -> str:
        """What was answered with a 5xx and by whom, and what was wrong with them but that they were away."""
        answered = (self.folder / "access.log").read_text().splitlines()
        said = (self.folder / "error.log").read_text().splitlines()
        told = [line for line in answered if " -> 5" in line] + [line for line in said if "refused" not in line]
        return "\n".join(told[-40:])

    def command(self) -> list[str]:
        return [str(binary("nginx")), "-c", str(self.folder / "nginx.conf"), "-p", str(self.folder)]


class Cluster(Installation):
    """As an Installation; its parts are four processes and its stores can be restarted."""

    def __init__(self) -> None:
        super().__init__()
        self.web_ports = free_port(), free_port()
        self.postgres, self.redis, self.nginx = Postgres(), Redis(), Nginx(*self.web_ports)
        self.base = f"http://127.0.0.1:{self.nginx.port}"
        self.environment |= {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "PUBLIC_URL": self.base,
            "TRUSTED_PROXIES": "127.0.0.1",
        }
        webs = {f"web-{port}": ["--only", "web", "--no-demo", "--port", str(port)] for port in self.web_ports}
        self.work_port = free_port()
        work = ["--only", "work", "--port", str(self.work_port)]
        self.parts = {**webs, "work": work, "schedule": ["--only", "schedule"]}

    @property
    def web_bases(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.web_ports]

    def _set_up(self) -> "Cluster":
        for server in (self.postgres, self.redis, self.nginx):
            server.start()
        super()._set_up()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for server in (self.nginx, self.redis, self.postgres):
            server.__exit__()

    def wait_for(self, part: str, *, ready: bool = False) -> None:
        """Until a part with pages answers; the others have nothing to ask."""
        if part.startswith("web-"):
            address = f"http://127.0.0.1:{part.removeprefix('web-')}/health/{'ready' if ready else 'live'}"
            wait_until(lambda: answers(address), 150, part)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(psycopg.connect(self.postgres.url)) as database:
            return list(database.execute(query))

    def faults(self) -> list[Callable[[], None]]:
        """Redis ends and comes back twice, PostgreSQL once, as in a crash."""

        def redis() -> None:
            self.redis.end(signal.SIGKILL)
            time.sleep(1.5)
            self.redis.start()

        def postgres() -> None:
            self.postgres.end(signal.SIGQUIT)
            self.postgres.start()

        return [redis, redis, postgres]


def log_of(place: Installation) -> str:
    return Path(place.folder / "serve.log").read_text(errors="replace")
