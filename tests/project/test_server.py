"""A real process: what it does not read, and how it ends: nobody is cut off, and nothing is left half done."""

import signal
import socket
import threading
import time

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.installation import EMAIL, SECRET, Installation, update, wait_until

pytestmark = pytest.mark.xdist_group("journeys")  # one installation at a time
A_FEW = 8.0  # seconds


@pytest.fixture(scope="module")
def place():
    with Installation() as made:
        yield made


@pytest.fixture
def running(place):
    if place.processes["serve"].poll() is not None:
        place.start(ready=False)
    return place


@pytest.fixture
def page(running):
    with running.sign_in() as client:
        yield client


def ask_to_end(place) -> None:
    place.processes["serve"].send_signal(signal.SIGTERM)


def ended_well(place) -> bool:
    return place.processes["serve"].wait(A_FEW + 5) == 0


def closing_code(tab) -> int | None:
    try:
        while True:
            tab.recv(timeout=A_FEW)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def script(place, method, answer, argument=None) -> None:
    wish = {"method": method, "answer": answer, "argument": argument}
    httpx.post(f"{place.platform}/_fake/script", json=wish).raise_for_status()


def called(place, method) -> int:
    calls = httpx.get(f"{place.platform}/_fake/calls").json()
    return sum(call["method"] == method for call in calls)


def test_a_tab_is_told_that_it_is_a_restart_and_the_process_ends_soon(running, page):
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    address = f"{running.base.replace('http', 'ws', 1)}/ws/live/"
    with connect(address, additional_headers={"Cookie": cookies}, origin=Origin(running.base)) as tab:
        began = time.monotonic()
        ask_to_end(running)
        code = closing_code(tab)

    assert code == 1012
    assert ended_well(running)
    assert time.monotonic() - began < A_FEW


def test_a_request_in_hand_is_answered_and_a_new_one_is_not_let_in(running, page):
    script(running, "getMe", "slow", 2)
    ((inbox,),) = running.rows("SELECT id FROM conversations_inbox WHERE channel = 'telegram'")
    before, answers = called(running, "getMe"), []
    asking = threading.Thread(target=lambda: answers.append(page.post(f"/settings/inboxes/{inbox}/test/")))
    asking.start()
    wait_until(lambda: called(running, "getMe") > before, 10, "the call to the platform")

    ask_to_end(running)
    wait_until(lambda: refuses(running), 2, "a closed door")
    asking.join()

    assert (answers[0].status_code, answers[0].headers["connection"]) == (302, "close")
    assert ended_well(running)


def refuses(place) -> bool:
    try:
        httpx.get(f"{place.base}/health/live", timeout=1)
    except httpx.ConnectError:
        return True
    return False


def test_a_reply_on_its_way_is_settled_and_none_is_left_uncertain(running, page):
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    httpx.post(f"{running.base}/hooks/{running.key}/", json=update(1, 7, "hello"), headers=headers).raise_for_status()
    wait_until(lambda: running.rows("SELECT id FROM conversations_conversation"), 10, "the conversation")
    ((conversation,),) = running.rows("SELECT id FROM conversations_conversation")
    script(running, "sendMessage", "slow", 2)
    page.post(f"/inbox/{conversation}/reply/", data={"text": "on its way", "client_id": "stop-1"})
    wait_until(lambda: called(running, "sendMessage"), 10, "the send")

    ask_to_end(running)

    assert ended_well(running)
    assert running.rows("SELECT state, attempts FROM conversations_delivery") == [("sent", 1)]
    assert running.sent_texts() == ["on its way"]


def test_what_is_delivered_while_it_ends_is_stored_or_not_acknowledged(running):
    headers, taken = {"X-Telegram-Bot-Api-Secret-Token": SECRET}, []
    with httpx.Client(timeout=10) as platform:
        try:
            for number in range(100, 400):
                address = f"{running.base}/hooks/{running.key}/"
                if platform.post(address, json=update(number, 8, f"stop {number}"), headers=headers).status_code == 200:
                    taken.append(f"stop {number}")
                if number == 110:
                    ask_to_end(running)
        except httpx.HTTPError:
            pass
    assert ended_well(running)
    running.start(ready=False)

    stored = "SELECT text FROM conversations_message WHERE text LIKE 'stop %' ORDER BY seq"
    wait_until(lambda: len(running.rows(stored)) >= len(taken), 20, "every message")
    assert len(taken) >= 11
    assert [text for (text,) in running.rows(stored)] == taken


def test_who_waits_for_events_is_answered_when_the_process_ends(running):
    key = running.manage("api_token", EMAIL).strip()
    waiting, answers = {"since": 10**9, "wait": 25}, []

    def ask():
        headers = {"Authorization": f"Bearer {key}"}
        answers.append(httpx.get(f"{running.base}/api/v1/events", params=waiting, headers=headers, timeout=30))

    asking, began = threading.Thread(target=ask), time.monotonic()
    asking.start()
    time.sleep(1)  # it is held, which nothing shows from outside
    assert answers == []
    ask_to_end(running)
    asking.join()

    assert (answers[0].status_code, answers[0].json()["items"]) == (200, [])
    assert time.monotonic() - began < 10
    assert ended_well(running)


def talk(place, *pieces: bytes) -> bytes:
    """What the server says to these bytes, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", place.port), timeout=10) as line:
        said = b""
        try:
            for piece in pieces:
                line.sendall(piece)
            while part := line.recv(65536):
                said += part
        except ConnectionError:  # it does not wait for the rest
            pass
        return said


def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_read(running):
    head = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n"

    assert talk(running, head).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_does_not_say_how_long_it_is_is_cut_when_it_is_too_long(running):
    head = b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    megabyte = b"100000\r\n" + b"x" * 2**20 + b"\r\n"

    said = talk(running, head, *[megabyte] * 64)

    assert b"200 OK" not in said
    assert httpx.get(f"{running.base}/health/live").status_code == 200
