"""A PostgreSQL and a Redis of our own, on loopback, in a folder that goes with them.

python -m tests.servers COMMAND...    runs it with DATABASE_URL and REDIS_URL set, and ends as it does
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def binary(name: str) -> str | None:
    """Where the program is; Debian keeps PostgreSQL's beside the path."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(beside[-1]) if beside else shutil.which(name, path="/usr/sbin"))


def missing() -> list[str]:
    """The programs of a cluster that this machine lacks."""
    return [name for name in ("postgres", "initdb", "redis-server", "nginx") if binary(name) is None]


class Server:
    """A program that listens on a port of loopback; it can be killed and started again."""

    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="rapport-server-"))
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def as_user(self) -> dict[str, Any]:
        return {}

    def start(self) -> None:
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd="/", **self.as_user())
        end = time.monotonic() + 30
        while not self.answers():
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"{self.command()[0]}: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def end(self, how: signal.Signals | None = None) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how or self.stop_signal)
            self.process.wait(20)

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    """PostgreSQL with its own defaults; `is_hasty` does without the disk, for tests that do not cut the power."""

    stop_signal = signal.SIGINT

    def __init__(self, *, is_hasty: bool = False) -> None:
        super().__init__()
        self.url = f"postgres://rapport@127.0.0.1:{self.port}/postgres"
        self.is_hasty = is_hasty

    def command(self) -> list[str]:
        options = [f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories="]
        if self.is_hasty:
            options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        words = [word for option in options for word in ("-c", option)]
        return [str(binary("postgres")), "-D", str(self.folder / "data"), *words]

    def as_user(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}

    def start(self) -> None:
        if not (self.folder / "data").exists():
            self._make()
        super().start()
        self._wait_until_it_takes_queries()

    def _make(self) -> None:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        words = ["-U", "rapport", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        command = [str(binary("initdb")), "-D", str(self.folder / "data"), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self.as_user())

    def _wait_until_it_takes_queries(self) -> None:
        import psycopg  # only where there is a PostgreSQL

        end = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)


class Redis(Server):
    def __init__(self) -> None:
        super().__init__()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--databases", "64"]
        return [str(binary("redis-server")), *words, "--dir", str(self.folder)]


@contextlib.contextmanager
def both(*, is_hasty: bool = False) -> Iterator[tuple[Postgres, Redis]]:
    with Postgres(is_hasty=is_hasty) as postgres, Redis() as redis:
        assert isinstance(postgres, Postgres)
        assert isinstance(redis, Redis)
        yield postgres, redis


def main(command: list[str]) -> int:
    if missing():
        print(f"left out: everything on PostgreSQL and Redis (not here: {', '.join(missing())})")
        return 1 if os.environ.get("RAPPORT_NOTHING_LEFT_OUT") else 0
    with both(is_hasty=True) as (postgres, redis):
        places = {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
        return subprocess.run(command, env={**os.environ, **places}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
