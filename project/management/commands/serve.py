"""`manage.py serve [--port N] [--no-demo]`: everything in one process. `--only`: one part of a cluster."""

import signal
import socket
import sys
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from channels_adapters.workers.running import EVERYTHING, WEB
from project.first_start import introduce
from project.processes import PARTS, collect_static, one_at_a_time, prepare_tables, running

# bytes of one message, both ways: Daphne has one figure for what comes and for what goes
SOCKET_LIMIT = 1024 * 1024


class Command(BaseCommand):
    help = "Run the pages, the sockets, the workers and the schedule in one process, or one part of a cluster."

    def add_arguments(self, parser: CommandParser) -> None:
        port = f"default: {settings.PORT}; work and schedule answer only /health/ and /metrics there"
        parser.add_argument("--port", type=int, help=port)
        parser.add_argument(
            "--no-demo", action="store_true", help="do not load the demo workspace into an empty database"
        )
        parser.add_argument(
            "--only", choices=PARTS, default=EVERYTHING, help="one part of a cluster on PostgreSQL and Redis"
        )

    def handle(self, *args: Any, port: int | None, no_demo: bool, only: str, **options: Any) -> None:
        if only and not settings.IS_CLUSTER:
            raise CommandError("--only needs DATABASE_URL (PostgreSQL) and REDIS_URL: one process needs neither.")
        if only in (EVERYTHING, WEB):
            port = settings.PORT if port is None else port
            self._prepare_pages(port, no_demo)
            serve(port, only)
        else:
            if port is not None:
                _check(port)
            with one_at_a_time():
                prepare_tables()
            connection.close()
            self.stdout.write(f"Rapport runs its part: {only}")
            self.stdout.flush()
            work(only) if port is None else serve(port, only)

    def _prepare_pages(self, port: int, no_demo: bool) -> None:
        _check(port)
        settings.PUBLIC_URL = settings.PUBLIC_URL if settings.PUBLIC_URL_IS_GIVEN else f"http://localhost:{port}"
        settings.CSRF_TRUSTED_ORIGINS = [settings.PUBLIC_URL]
        with one_at_a_time():
            prepare_tables()
            collect_static()
            introduce(self.stdout, demo=not no_demo)
        connection.close()
        self.stdout.flush()


def _check(port: int) -> None:
    """Raise CommandError unless it is a port that is free."""
    if not 0 < port < 65536:
        raise CommandError(f"--port must be from 1 to 65535, not {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(f"Port {port} is in use: choose another with --port ({error.strerror}).") from error


def serve(port: int, part: str) -> None:
    """Serve on the loopback address until a signal; then end what is in hand, and stop what was started."""
    from project.asgi import application
    from project.server import DrainingServer  # installs the reactor
    from project.watching import watching

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with running(part):
        DrainingServer(
            application if part in (EVERYTHING, WEB) else watching,
            endpoints=[f"tcp:port={port}:interface=127.0.0.1"],
            signal_handlers=True,
            websocket_max_message_size=SOCKET_LIMIT,
            websocket_max_frame_size=SOCKET_LIMIT,
            server_name="rapport",
        ).run()


def work(part: str) -> None:
    """Run a part that has no pages and no port until a signal."""
    ended = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: ended.set())
    with running(part):
        ended.wait()
