"""Backup and restore as docs/operations.md says, with the lines that stand there, while messages come in."""

import re
import shutil
import subprocess
import threading

import httpx
import psycopg
import pytest

from tests.conftest import left_out
from tests.installation import EMAIL, ROOT, SECRET, Installation, update, wait_until
from tests.servers import Postgres, binary

pytestmark = pytest.mark.xdist_group("journeys")  # one installation at a time
DOCUMENTED = re.findall(r"```bash\n(.*?)```", (ROOT / "docs" / "operations.md").read_text(), re.DOTALL)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"


class OnSqlite(Installation):
    backup = next(lines for lines in DOCUMENTED if "sqlite3" in lines)

    def lose_the_database(self) -> None:
        for kept in self.folder.glob("rapport.sqlite3*"):
            kept.unlink()

    def put_back(self, kept) -> None:
        shutil.copy(kept / "rapport.sqlite3", self.folder)


class OnPostgres(Installation):
    backup = next(lines for lines in DOCUMENTED if "pg_dump" in lines)

    def __init__(self) -> None:
        super().__init__()
        self.postgres = Postgres(is_hasty=True)

    def _set_up(self):
        self.postgres.start()
        self.environment["DATABASE_URL"] = self.postgres.url
        return super()._set_up()

    def __exit__(self, *error) -> None:
        super().__exit__(*error)
        self.postgres.__exit__()

    def rows(self, query):
        with psycopg.connect(self.postgres.url) as database:
            return list(database.execute(query))

    def lose_the_database(self) -> None:
        with psycopg.connect(self.postgres.url, autocommit=True) as database:
            database.execute("DROP SCHEMA public CASCADE")
            database.execute("CREATE SCHEMA public")

    def put_back(self, kept) -> None:
        run('pg_restore --clean --if-exists --no-owner --dbname="$DATABASE_URL" rapport.dump', self, kept)


def run(lines: str, place: Installation, folder) -> None:
    shell = ["bash", "-euc", lines]
    done = subprocess.run(shell, cwd=folder, env=place.environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=[OnSqlite, OnPostgres])
def place(request):
    if request.param is OnPostgres and not (binary("postgres") and binary("pg_dump")):
        left_out("backup of PostgreSQL", "postgres or pg_dump is not here")
        pytest.skip("PostgreSQL is not here")
    with request.param() as made:
        yield made


def deliver(place, number) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    body = update(number, 7, f"kept {number}")
    return httpx.post(f"{place.base}/hooks/{place.key}/", json=body, headers=headers, timeout=30).status_code


def stored(place) -> list[str]:
    rows = place.rows("SELECT text FROM conversations_message WHERE text LIKE 'kept %' ORDER BY conversation_id, seq")
    return [text for (text,) in rows]


def upload(place) -> str:
    """A file that an agent's program keeps; its token."""
    headers = {"Authorization": f"Bearer {place.manage('api_token', EMAIL).strip()}"}
    wait_until(lambda: stored(place), 30, "a conversation")
    address = f"{place.base}/api/v1/conversations/1/files"
    answer = httpx.post(address, files={"file": ("a.png", PNG)}, headers=headers, timeout=30)
    return str(answer.json()["token"])


def test_a_backup_taken_while_messages_come_in_is_whole_and_is_restored_on_hold(place, tmp_path):
    acknowledged, ended = [], threading.Event()

    def come_in():
        number = 1
        while not ended.is_set():
            if deliver(place, number) == 200:
                acknowledged.append(number)
                number += 1

    platform = threading.Thread(target=come_in)
    platform.start()
    try:
        token = upload(place)
        wait_until(lambda: len(acknowledged) >= 20, 60, "some messages")
        before = len(acknowledged)
        run(place.backup, place, tmp_path)
        shutil.copy(place.folder / "keys.json", tmp_path)
        wait_until(lambda: len(acknowledged) >= before + 5, 60, "messages after the backup")
    finally:
        ended.set()
        platform.join()

    place.kill()
    place.lose_the_database()
    (place.folder / "keys.json").unlink()
    shutil.rmtree(place.folder / "files")

    shutil.copy(tmp_path / "keys.json", place.folder)
    run('tar -xf files.tar -C "$DATA_DIR"', place, tmp_path)
    place.put_back(tmp_path)
    place.manage("migrate", "--verbosity", "0")
    assert "Bench (telegram): paused, 0 to send" in place.manage("hold")
    place.start(ready=False)

    count = "SELECT count(*) FROM channels_adapters_rawdelivery"
    assert place.rows(count)[0][0] >= before
    assert deliver(place, 1) == 503  # on hold: nothing is taken in
    assert "live" in place.manage("hold", "--release")
    wait_until(lambda: deliver(place, 1) == 200, 10, "the release")  # the secret is read with the restored keys
    for number in acknowledged:  # what came after the backup comes again
        assert deliver(place, number) == 200
    wait_until(lambda: len(stored(place)) >= len(acknowledged), 60, "every message")
    assert sorted(stored(place)) == sorted(f"kept {number}" for number in acknowledged)
    assert list((place.folder / "files").rglob(f"{token}*"))
