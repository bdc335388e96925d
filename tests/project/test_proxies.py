import ipaddress

import pytest

from project.proxies import with_real_client

TRUSTED = [ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("::1")]


def client(peer: str, *forwarded: str) -> str:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return str(with_real_client({"type": "http", "client": [peer, 5], "headers": headers})["client"][0])


@pytest.mark.parametrize(
    "peer,forwarded,real",
    [
        ("127.0.0.1", ["203.0.113.7"], "203.0.113.7"),
        ("127.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),  # the first is what the caller claims
        ("127.0.0.1", ["203.0.113.7, 10.0.0.4"], "203.0.113.7"),  # two proxies of ours
        ("127.0.0.1", ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),  # the header twice
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # who is no proxy of ours may claim what they like
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["10.0.0.4"], "127.0.0.1"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["203.0.113.7, <script>"], "127.0.0.1"),
        ("127.0.0.1", [" , ,"], "127.0.0.1"),
    ],
)
def test_the_caller_is_the_nearest_that_is_no_proxy_of_ours(settings, peer, forwarded, real):
    settings.TRUSTED_PROXIES = TRUSTED

    assert client(peer, *forwarded) == real


def test_without_a_trusted_proxy_nothing_is_believed(settings):
    settings.TRUSTED_PROXIES = []

    assert client("127.0.0.1", "203.0.113.7") == "127.0.0.1"
