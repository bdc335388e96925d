"""`manage.py serve [--port N] [--no-demo]`: everything in one process."""

import logging
import signal
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from huey.consumer import Consumer
from huey.contrib.djhuey import HUEY

from project.first_start import introduce

logger = logging.getLogger(__name__)
CONSUMER: dict[str, Any] = {"workers": 1, "worker_type": "thread", "max_delay": 0.2, "check_worker_health": False}


class Serve(Consumer):
    """Huey's consumer as a part of our process, which has its own signals."""

    def _set_signal_handlers(self) -> None:
        pass


class Command(BaseCommand):
    help = "Run the pages, the sockets, the workers and the schedule in one process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument(
            "--no-demo", action="store_true", help="do not load the demo workspace into an empty database"
        )

    def handle(self, *args: Any, port: int, no_demo: bool, **options: Any) -> None:
        if not 0 < port < 65536:
            raise CommandError(f"--port must be from 1 to 65535, not {port}")
        _check_free(port)
        settings.PUBLIC_URL = settings.PUBLIC_URL if settings.PUBLIC_URL_IS_GIVEN else f"http://localhost:{port}"
        settings.CSRF_TRUSTED_ORIGINS = [settings.PUBLIC_URL]
        call_command("migrate", verbosity=0, interactive=False)
        _collect_static()
        introduce(self.stdout, demo=not no_demo)
        self.stdout.flush()
        serve(port)


def _collect_static() -> None:
    """Styles and scripts carry a hash in their names and are compressed: a browser keeps them until they change."""
    settings.STORAGES["staticfiles"]["BACKEND"] = "servestatic.storage.CompressedManifestStaticFilesStorage"
    settings.SERVESTATIC_USE_FINDERS, settings.SERVESTATIC_USE_MANIFEST = False, True
    call_command("collectstatic", verbosity=0, interactive=False)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(f"Port {port} is in use: choose another with --port ({error.strerror}).") from error


def serve(port: int) -> None:
    """Serve on the loopback address until a signal; then stop what was started, newest first."""
    from daphne.server import Server  # installs the reactor

    from channels_adapters.workers.running import workers
    from project.asgi import application

    edge = workers()
    edge.start()
    schedule = Serve(HUEY, **CONSUMER)
    schedule.start()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        Server(
            application,
            endpoints=[f"tcp:port={port}:interface=127.0.0.1"],
            signal_handlers=True,
            websocket_max_message_size=64 * 1024,
            websocket_max_frame_size=64 * 1024,
            proxy_forwarded_address_header="X-Forwarded-For" if settings.TRUSTED_PROXIES else None,
            server_name="rapport",
        ).run()
    finally:
        schedule.stop(graceful=False)
        edge.stop()
