"""The calls of a platform's API: what each failure means, and whom a file is fetched from."""

import gzip
import socket

import pytest

from channels_adapters.answers import PAUSE
from channels_adapters.calls import Platform, nothing_to_lose, repeat_key
from channels_adapters.contract import OutboundPart, Refused, Retryable, Uncertain
from crm.workspace import clock
from tests.channels_adapters.fake_platform import Answer, FakePlatform
from tests.channels_adapters.patience import patience


@pytest.fixture
async def fake():
    async with FakePlatform() as running:
        yield running


@pytest.fixture
async def platform(fake):
    made = Platform("Toy", hosts=("api.toy.example",), api_url=fake.url)
    yield made
    await made.close()


async def test_its_own_hosts_are_called_at_the_address_that_was_set(fake, platform):
    fake.script("/v1/send", Answer(201, {"id": "7"}, {"X-Number": "9"}))

    answer = await platform.call("POST", "https://api.toy.example/v1/send?a=1", json={"text": "ü"})

    assert (answer.status, answer.fields().text("id"), answer.headers["x-number"]) == (201, "7", "9")
    (call,) = fake.calls
    assert (call.query, call.body) == ("a=1", b'{"text": "\xc3\xbc"}')


async def test_an_answer_that_comes_packed_all_the_same_is_read(fake, platform):
    fake.script("/me", Answer(200, gzip.compress(b'{"id": "7"}'), {"Content-Encoding": "gzip"}))

    assert (await platform.call("GET", "https://api.toy.example/me")).fields().text("id") == "7"


async def test_a_bad_status_is_an_answer(fake, platform):
    assert (await platform.call("GET", "https://api.toy.example/none")).status == 404


@pytest.mark.parametrize("how", ["hang", "drop"])
async def test_after_bytes_left_no_answer_is_uncertain(fake, platform, how):
    platform.call_seconds = patience(how)
    fake.script("/send", Answer(how=how))

    with pytest.raises(Uncertain, match="Toy"):
        await platform.call("POST", "https://api.toy.example/send", json={})


async def test_where_nothing_can_be_lost_it_is_tried_again(fake, platform):
    fake.script("/me", Answer(how="drop"))

    with pytest.raises(Retryable), nothing_to_lose():
        await platform.call("GET", "https://api.toy.example/me")


async def test_nobody_at_the_address_costs_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    platform = Platform("Toy", api_url=url)

    with pytest.raises(Retryable, match="could not be reached"):
        await platform.call("POST", f"{url}/send", json={})
    await platform.close()


async def test_a_name_that_stands_for_nothing_just_now_costs_nothing(monkeypatch):
    def away(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    platform = Platform("Toy", hosts=("api.toy.example",))
    monkeypatch.setattr("socket.getaddrinfo", away)

    with pytest.raises(Retryable, match=r"could not be reached: The name api\.toy\.example is not known"):
        await platform.call("POST", "https://api.toy.example/send", json={})
    await platform.close()


async def test_a_private_address_is_not_called(fake):
    platform = Platform("Toy")

    with pytest.raises(Retryable, match="private network") as wait:  # what waits goes out when the settings are mended
        await platform.call("GET", fake.url)
    assert wait.value.retry_after == PAUSE
    with pytest.raises(Refused):
        await platform.download(fake.url.replace("http:", "https:"), 10)
    await platform.close()
    assert fake.calls == []


async def test_a_file_is_fetched_with_what_proves_us(fake, platform):
    fake.script("/file", Answer(200, b"meow"))

    assert await platform.download("https://api.toy.example/file", 4, {"authorization": "Bearer t"}) == b"meow"
    assert fake.calls[0].headers["authorization"] == "Bearer t"


async def test_a_file_that_never_comes_is_fetched_again_later(fake, platform):
    platform.download_seconds = patience("hang")
    fake.script("/file", Answer(how="hang"))

    with pytest.raises(Retryable):
        await platform.download("https://api.toy.example/file", 4)


async def test_where_a_file_has_moved_nobody_learns_what_proves_us(fake, platform):
    async with FakePlatform() as store:
        fake.script("/file", Answer(302, "", {"Location": f"{store.url}/x"}))

        with pytest.raises(Refused, match="https"):  # http, and private besides
            await platform.download("https://api.toy.example/file", 10, {"authorization": "Bearer t"})

        assert store.calls == []


@pytest.mark.parametrize("size", [11, 200_000])
async def test_a_file_over_the_limit_is_refused(fake, platform, size):
    fake.script("/file", Answer(200, b"x" * size))

    with pytest.raises(Refused, match="larger"):
        await platform.download(f"{fake.url}/file", 10)


async def test_a_small_file_that_unpacks_to_a_large_one_is_not_unpacked(fake, platform):
    fake.script("/file", Answer(200, b"\x1f\x8b packed", {"Content-Encoding": "identity, gzip"}))

    assert await platform.download(f"{fake.url}/file", 100) == b"\x1f\x8b packed"


@pytest.mark.parametrize("status", [202, 401, 429, 500, 503])
async def test_a_file_that_is_not_ready_is_asked_for_again(fake, platform, status):
    fake.script("/file", Answer(status, b""))

    with pytest.raises(Retryable):
        await platform.download(f"{fake.url}/file", 10)


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_file_that_is_gone_is_gone(fake, platform, status):
    fake.script("/file", Answer(status, b""))

    with pytest.raises(Refused):
        await platform.download(f"{fake.url}/file", 10)


async def test_a_file_that_leads_round_in_circles_is_given_up(fake, platform):
    fake.script("/file", *[Answer(302, "", {"Location": "/file"})] * 9)

    with pytest.raises(Refused, match="circles"):
        await platform.download(f"{fake.url}/file", 10)


@pytest.mark.parametrize(
    "given, seconds",
    [("7", 7), ("0", 0), ("9e9", 86_400), ("100000", 86_400), ("1e9", 0), ("-1", 0), ("nan", None), ("soon", None)],
)
async def test_the_pause_that_a_platform_asks_for_is_kept_within_reason(fake, platform, given, seconds):
    fake.script("/send", Answer(429, {}, {"Retry-After": given}))

    assert (await platform.call("POST", "https://api.toy.example/send")).pause() == seconds


def test_the_key_of_a_part_is_that_of_each_of_its_tries_and_of_no_other():
    now = clock.now()
    part = OutboundPart(1, "t", "x", wanted_at=now)

    assert repeat_key(part) == repeat_key(OutboundPart(1, "t", "x", wanted_at=now))
    assert repeat_key(part) != repeat_key(OutboundPart(2, "t", "x", wanted_at=now))
    assert repeat_key(part) != repeat_key(OutboundPart(1, "t", "x", wanted_at=None))
