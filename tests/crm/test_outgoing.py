import re
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import time_machine

from crm.web import outgoing
from crm.web.outgoing import NoAnswer, NotAllowed, is_public, post


def _whole(connection: socket.socket) -> bytes:
    """The request with all of its body, however many packets it comes in."""
    request = connection.recv(65536)
    told = re.search(rb"content-length: (\d+)", request, re.IGNORECASE)
    length = request.find(b"\r\n\r\n") + 4 + int(told[1]) if told else len(request)
    while len(request) < length:
        request += connection.recv(65536)
    return request


class Server:
    """A web server on loopback that answers with fixed bytes and counts who connects."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", *, drip: float = 0) -> None:
        outer, self.connections = self, 0
        self.requests: list[bytes] = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer.connections += 1
                outer.requests.append(_whole(self.request))
                for piece in [answer] if not drip else [bytes([byte]) for byte in answer]:
                    try:
                        self.request.sendall(piece)
                    except OSError:
                        return
                    time.sleep(drip)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.",
        "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "[0:0:0:0:0:ffff:127.0.0.1]", "LOCALHOST", "①②⑦.⓪.⓪.①",
    ],
)  # fmt: skip
def test_no_spelling_of_loopback_is_connected_to(server, host):
    with pytest.raises((NotAllowed, NoAnswer)):
        post(f"http://{host}:{server.port}/", b"{}", {})

    assert server.connections == 0


@pytest.mark.parametrize(
    "number",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "192.0.0.1", "198.18.0.1", "fd00::1", "fe80::1", "fe80::1%eth0", "ff02::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "2001:db8::1", "::a00:1",
    ],
)  # fmt: skip
def test_a_private_number_is_not_public(number):
    assert not is_public(number)


@pytest.mark.parametrize("number", ["93.184.216.34", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_number_is_public(number):
    assert is_public(number)


def test_a_name_with_one_private_number_among_public_ones_is_refused(monkeypatch, server):
    numbers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (n, 80)) for n in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: numbers)

    with pytest.raises(NotAllowed, match="private"):
        post(f"http://rebind.example:{server.port}/", b"", {})
    assert server.connections == 0


def test_the_name_is_asked_for_once_and_the_connection_goes_to_that_number(monkeypatch):
    asked, went = [], []

    def resolve(host, port, *args, **kwargs):
        asked.append(host)
        number = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port))]

    def connect(address, *args, **kwargs):
        went.append(address[0])
        raise OSError("no network in a test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(NoAnswer):
        post("http://rebind.example/", b"", {})

    assert (asked, went) == (["rebind.example"], ["93.184.216.34"])


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "http://", "http:///x",
        "http://user:pass@example.org/", "http://example.org:22/", "http://example.org:6/", "http://example.org:99999/",
        "http://exa mple.org/", "http://example.org/\r\nX: y", "http://[::1", "javascript:alert(1)",
        "http://example.org/" + "x" * 2000,
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_in_words(url):
    with pytest.raises(NotAllowed, match=r"\w"):
        outgoing.check(url)


@pytest.mark.parametrize(
    "url", ["https://example.org/hook", "http://example.org:8443/a?b=c", "https://bücher.example/"]
)
def test_an_ordinary_address_is_taken(url):
    outgoing.check(url)


def test_a_private_address_is_called_where_that_was_allowed(server):
    answer = post(f"http://127.0.0.1:{server.port}/hook", b'{"a": 1}', {"x-own": "yes"}, allow_private=True)

    assert (answer.status, answer.text) == (200, "ok")
    assert b"POST /hook HTTP/1.1" in server.requests[0]
    assert server.requests[0].endswith(b'{"a": 1}')


def test_a_redirect_is_an_answer_and_is_not_followed():
    other = Server()
    first = Server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n" % other.port)

    assert post(f"http://127.0.0.1:{first.port}/", b"", {}, allow_private=True).status == 302
    assert other.connections == 0
    first.stop()
    other.stop()


def test_an_answer_in_drops_ends_with_the_time_of_the_whole_call(monkeypatch):
    monkeypatch.setattr(outgoing, "TIME", 0.4)
    slow = Server(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200 + b"\r\n\r\n", drip=0.05)
    began = time.monotonic()

    with pytest.raises(NoAnswer, match="within"):
        post(f"http://127.0.0.1:{slow.port}/", b"", {}, allow_private=True)

    assert time.monotonic() - began < 2
    slow.stop()


def test_of_a_large_answer_the_beginning_is_read():
    large = Server(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"z" * 9_000_000)

    assert len(post(f"http://127.0.0.1:{large.port}/", b"", {}, allow_private=True).text) == outgoing.BYTES
    large.stop()


def test_a_proxy_of_the_environment_is_not_used(monkeypatch, server):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setattr(
        socket, "create_connection", lambda *args, **kwargs: (_ for _ in ()).throw(OSError("no network"))
    )

    with pytest.raises(NoAnswer):
        post("http://93.184.216.34/", b"", {})
    assert server.connections == 0


@pytest.mark.parametrize(
    "said,seconds",
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 22 Nov 2026 10:05:00 GMT", 300.0),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0.0),  # gone by
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 40, None),
        ("Sun, 99 Nov 2026 10:05:00 GMT", None),
    ],
)
def test_a_pause_is_read_as_seconds_or_as_a_date(said, seconds):
    answer = b"HTTP/1.1 429 Slow\r\nRetry-After: " + said.encode() + b"\r\nContent-Length: 0\r\n\r\n"
    made = Server(answer)
    with time_machine.travel("2026-11-22T10:00:00Z", tick=False):
        try:
            found = post(f"http://127.0.0.1:{made.port}/", b"{}", {}, allow_private=True)
        finally:
            made.stop()

    assert (found.status, found.retry_after) == (429, seconds)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"])
async def test_the_client_connects_to_no_private_address(server, host):
    async with outgoing.client() as client:
        with pytest.raises((NotAllowed, httpx.ConnectError)):
            await client.get(f"http://{host}:{server.port}/")

    assert server.connections == 0


async def test_the_client_connects_to_the_one_private_place_that_it_may(server):
    place = f"127.0.0.1:{server.port}"
    async with outgoing.client(private_place=place) as client:
        answer = await client.get(f"http://{place}/")
        with pytest.raises(NotAllowed):
            await client.get(f"http://localhost:{server.port}/")

    assert answer.text == "ok"
    assert server.connections == 1


async def test_the_client_follows_no_redirect():
    made = Server(b"HTTP/1.1 302 Found\r\nLocation: http://example.org/\r\nContent-Length: 0\r\n\r\n")
    async with outgoing.client(private_place="127.0.0.1") as client:
        answer = await client.get(f"http://127.0.0.1:{made.port}/")
    made.stop()

    assert answer.status_code == 302
