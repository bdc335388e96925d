"""The application is plain ASGI: here under Uvicorn, from a platform's delivery to an agent's socket."""

import subprocess
import sys

import httpx
import pytest

from tests.installation import ROOT, SECRET, Installation, update, wait_until
from tests.tab import Tab

pytestmark = pytest.mark.xdist_group("journeys")  # one installation at a time


class UnderUvicorn(Installation):
    def start_part(self, part):
        log = open(self.folder / "serve.log", "ab")  # noqa: SIM115  # it is the child's
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--lifespan", "on"]
        command = [sys.executable, "-m", "uvicorn", "project.asgi:application", *options]
        self.processes[part] = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        log.close()


def test_a_delivery_reaches_an_agents_socket_under_another_server():
    with UnderUvicorn() as place, place.sign_in() as page:
        tab = Tab(place, page, place.base)
        assert tab.is_open.wait(20)
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}

        answer = httpx.post(f"{place.base}/hooks/{place.key}/", json=update(1, 7, "under uvicorn"), headers=headers)

        assert answer.status_code == 200
        wait_until(lambda: any("under uvicorn" in text for text in tab.texts), 10, "the message on the socket")
        tab.close()
