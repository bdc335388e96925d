"""Two web processes, one that works, one with the schedule, behind nginx on PostgreSQL and Redis."""

import itertools
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.cluster.place import Cluster
from tests.conftest import left_out
from tests.installation import SECRET, update, wait_until
from tests.servers import missing
from tests.tab import Tab

pytestmark = pytest.mark.xdist_group("journeys")  # one installation at a time
CURRENT_WITHIN = 20.0  # seconds


@pytest.fixture(scope="module")
def cluster():
    if missing():
        left_out("the cluster", f"not here: {', '.join(missing())}")
        pytest.skip("PostgreSQL, Redis or nginx is not here")
    with Cluster() as place:
        yield place


@pytest.fixture(scope="module")
def page(cluster):
    with cluster.sign_in() as client:
        yield client


@pytest.fixture
def tabs(cluster, page):
    opened = [Tab(cluster, page, base) for base in cluster.web_bases]
    for tab in opened:
        assert tab.is_open.wait(20)
    yield opened
    for tab in opened:
        tab.close()


def deliver(base, cluster, number, text, chat=77):
    """Deliver until it is taken, as a platform does: a 503 asks for that."""
    headers, body = {"X-Telegram-Bot-Api-Secret-Token": SECRET}, update(number, chat, text)
    for _ in range(20):
        answer = httpx.post(f"{base}/hooks/{cluster.key}/", json=body, headers=headers, timeout=30)
        if answer.status_code != 503:
            break
        time.sleep(0.5)
    return answer


def shows(tab, text):
    return any(text in frame for frame in tab.texts)


def reply(page, cluster, text):
    ((conversation,),) = cluster.rows("SELECT max(id) FROM conversations_conversation")
    fields = {"text": text, "client_id": f"test-{text}"}
    return page.post(f"/inbox/{conversation}/reply/", data=fields, headers={"HX-Request": "true"})


def test_a_message_to_either_web_process_reaches_the_sockets_of_both(cluster, tabs):
    for number, base in enumerate([*cluster.web_bases, cluster.base, cluster.base], start=100):
        assert deliver(base, cluster, number, f"mark-{number}").status_code == 200
        for tab in tabs:
            wait_until(lambda: shows(tab, f"mark-{number}"), 20, f"mark-{number}")  # noqa: B023


def test_a_reply_leaves_once_and_within_a_second(cluster, page):
    deliver(cluster.base, cluster, 200, "hello")
    wait_until(lambda: cluster.rows("SELECT count(*) FROM conversations_conversation")[0][0], 30, "the conversation")
    took = []
    for number in range(5):
        started = time.monotonic()
        assert reply(page, cluster, f"answer {number}").status_code == 200
        wait_until(lambda: f"answer {number}" in cluster.sent_texts(), 20, "the reply")  # noqa: B023
        took.append(time.monotonic() - started)

    assert sorted(took)[2] < 3.0, took  # a nudge, not the look every five seconds
    assert [cluster.sent_texts().count(f"answer {number}") for number in range(5)] == [1] * 5


def test_sockets_are_current_soon_after_redis_was_away(cluster, tabs):
    cluster.redis.end(signal.SIGKILL)
    assert deliver(cluster.base, cluster, 300, "while redis was away").status_code == 200
    time.sleep(1.5)
    cluster.redis.start()
    assert deliver(cluster.base, cluster, 301, "when redis was back").status_code == 200

    for tab in tabs:
        wait_until(lambda: shows(tab, "when redis was back"), CURRENT_WITHIN, "a current socket")  # noqa: B023
        assert shows(tab, "while redis was away")


def test_each_process_tells_how_it_is(cluster):
    deliver(cluster.base, cluster, 350, "measured", chat=80)
    work = f"http://127.0.0.1:{cluster.work_port}"
    for base in (work, *cluster.web_bases):
        wait_until(lambda: httpx.get(f"{base}/health/ready").status_code == 200, 60, "readiness")  # noqa: B023
        told = httpx.get(f"{base}/metrics").text
        assert "rapport_database_up 1.0" in told
        assert "rapport_workers_stalled 0.0" in told
    assert httpx.get(f"{work}/health/ready").json().keys() >= {"database", "redis", "triage", "workers"}
    assert httpx.get(f"{work}/inbox/").status_code == 404
    told = "".join(httpx.get(f"{base}/metrics").text for base in cluster.web_bases)
    assert 'rapport_hook_answer_seconds_count{channel="telegram",status="200"}' in told
    assert httpx.get(f"{cluster.base}/metrics").status_code == 401  # from outside, past nginx


def triaged(cluster) -> float:
    """Messages read so far, by all processes together."""
    bases = [*cluster.web_bases, f"http://127.0.0.1:{cluster.work_port}"]
    told = "".join(httpx.get(f"{base}/metrics", timeout=30).text for base in bases)
    return sum(float(count) for count in re.findall(r"^rapport_triaged_messages_total (\S+)$", told, re.MULTILINE))


def test_two_web_processes_read_each_message_once(cluster):
    for base in (*cluster.web_bases, f"http://127.0.0.1:{cluster.work_port}"):
        wait_until(lambda: httpx.get(f"{base}/health/ready").status_code == 200, 150, "readiness")  # noqa: B023
    wait_until(lambda: waiting(cluster) == 0, 60, "what came before")
    before, count = triaged(cluster), 200

    def send(first):
        for number in range(first, count, 8):
            base = cluster.web_bases[number % 2]
            assert deliver(base, cluster, 10_000 + number, f"once-{number}", chat=90 + number % 8).status_code == 200

    with ThreadPoolExecutor(8) as platforms:
        list(platforms.map(send, range(8)))
    stored = "SELECT count(*) FROM conversations_message WHERE text LIKE 'once-%'"
    wait_until(lambda: cluster.rows(stored)[0][0] == count, 60, "every message")

    assert waiting(cluster) == 0
    assert triaged(cluster) - before == count


def waiting(cluster) -> int:
    return cluster.rows("SELECT count(*) FROM channels_adapters_rawdelivery WHERE state = 'waiting'")[0][0]


def test_a_web_process_that_is_stopped_loses_nothing(cluster):
    stopped = next(iter(cluster.parts))
    taken = []
    for number in range(400, 460):
        if number == 420:
            cluster.processes[stopped].send_signal(signal.SIGTERM)
        while deliver(cluster.base, cluster, number, f"stop-{number}", chat=78).status_code != 200:
            time.sleep(0.05)
        taken.append(f"stop-{number}")
    stored = "SELECT text FROM conversations_message WHERE text LIKE 'stop-%' ORDER BY seq"
    wait_until(lambda: len(cluster.rows(stored)) >= len(taken), 30, "every message")

    assert [text for (text,) in cluster.rows(stored)] == taken
    cluster.end_part(stopped)
    cluster.start_part(stopped)
    cluster.wait_for(stopped)


def test_a_rolling_restart_loses_nothing_and_a_tab_heals(cluster, page):
    deliver(cluster.base, cluster, 500, "roll-500", chat=79)
    tab, wrong, ended = Tab(cluster, page, cluster.base), [], threading.Event()
    wait_until(lambda: tab.head > 0, 20, "a tab that has caught up: before, it may be told to load its page anew")

    def use() -> None:
        """A person who reads and a platform that delivers, all the while."""
        for number in itertools.count(501):
            if ended.is_set():
                return
            answer = deliver(cluster.base, cluster, number, f"roll-{number}", chat=79)
            looked = page.get("/inbox/rows/?view=all")
            wrong.extend((number, found.status_code) for found in (answer, looked) if found.status_code != 200)
            sent.append(f"roll-{number}")

    sent = ["roll-500"]
    user = threading.Thread(target=use)
    user.start()
    try:
        for part in [part for part in cluster.parts if part.startswith("web-")]:
            began = time.monotonic()
            cluster.end_part(part, signal.SIGTERM)
            assert cluster.processes[part].returncode == 0
            assert time.monotonic() - began < 8
            cluster.start_part(part)
            cluster.wait_for(part, ready=True)
    finally:
        ended.set()
        user.join()

    stored = "SELECT text FROM conversations_message WHERE text LIKE 'roll-%' ORDER BY seq"
    assert wrong == [], cluster.nginx.failures()
    wait_until(lambda: len(cluster.rows(stored)) >= len(sent), 30, "every message")
    assert [text for (text,) in cluster.rows(stored)] == sent
    wait_until(lambda: shows(tab, sent[-1]), CURRENT_WITHIN, "a healed tab")
    assert [text for text in sent[1:] if not shows(tab, text)] == []
    assert 1012 in tab.closed_with
    tab.close()
