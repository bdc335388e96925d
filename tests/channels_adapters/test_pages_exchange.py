"""Messenger and Instagram both ways over real HTTP against the fake Graph API; what live tests find and register."""

import pytest
from asgiref.sync import sync_to_async

from channels_adapters.adapters.instagram import InstagramAdapter
from channels_adapters.adapters.messenger import MessengerAdapter
from channels_adapters.contract import HookRequest, WebhookRejected
from channels_adapters.meta.graph import FACEBOOK, INSTAGRAM
from tests.channels_adapters.desk import Desk
from tests.channels_adapters.fake_graph import TOKEN, Answer, FakeGraph, error, signature
from tests.factories import make_member, make_workspace

PAGE = {"page_id": "400", "page_token": TOKEN, "app_id": "401", "app_secret": "app_secret", "verify_token": "v"}
PROFILE = {"ig_id": "500", "access_token": TOKEN, "app_secret": "app_secret", "verify_token": "v"}
HOOK = "http://127.0.0.1:1/hooks/1/"
PERSON = "4001112223334445"


@pytest.fixture
async def graph():
    async with FakeGraph() as running:
        running.profiles["me"] = {"id": "400", "name": "Open"}
        running.profiles["500"] = {"username": "open", "name": "Open"}
        yield running


@pytest.fixture
async def desk(transactional_db, settings, monkeypatch):
    workspace = await sync_to_async(make_workspace)()
    member = await sync_to_async(make_member)(workspace)
    async with Desk(settings, monkeypatch, workspace, member) as running:
        yield running


def delivery(kind, account, *items, **more):
    return {"object": kind, "entry": [{"id": account, "time": 1787219940000, "messaging": [*items], **more}]}


def item(account, key, part):
    return {"sender": {"id": PERSON}, "recipient": {"id": account}, "timestamp": 1787219940000, key: part}


@pytest.mark.parametrize(
    "channel, kind, account, given",
    [("messenger", "page", "400", PAGE), ("instagram", "instagram", "500", PROFILE)],
    ids=["messenger", "instagram"],
)
async def test_a_customer_writes_an_agent_answers_and_it_is_read(graph, desk, channel, kind, account, given):
    inbox, hook, found = await desk.connect(channel, {**given, "api_url": graph.url})
    graph.files["1.jpg"] = (b"\xff\xd8", "image/jpeg")
    picture = {"type": "image", "payload": {"url": f"{graph.url}/content/1.jpg"}}
    message = {"mid": "m_in1", "text": "Finns den i blått? 1/2", "attachments": [picture]}

    for _ in range(2):  # and Meta's retry of it
        assert (await graph.deliver(hook, delivery(kind, account, item(account, "message", message))))[0] == 200
    (came,) = await desk.taken_in(inbox)
    sent = await desk.answer("Ja!")
    read = {"watermark": 4102444800000} if channel == "messenger" else {"mid": sent.external_id}
    seen = {**item(account, "read", read), "timestamp": 4102444800000}
    await graph.deliver(hook, delivery(kind, account, seen))
    await desk.taken_in(inbox)

    assert found.problems == ()
    assert came.text == "Finns den i blått? 1/2"
    assert [file.external_id for file in came.files.all()] == [f"{graph.url}/content/1.jpg"]
    assert graph.messages[0]["recipient"] == {"id": PERSON}
    assert graph.messages[0]["message"] == {"text": "Ja!"}
    assert (sent.state, sent.external_id) == ("sent", "m_fake1")
    assert (await desk.delivery()).read_at is not None


async def test_a_message_that_is_delivered_is_not_read_yet(graph, desk):
    inbox, hook, _ = await desk.connect("messenger", {**PAGE, "api_url": graph.url})
    await graph.deliver(hook, delivery("page", "400", item("400", "message", {"mid": "m_in1", "text": "Hej"})))
    await desk.taken_in(inbox)
    sent = await desk.answer("Ja!")

    await graph.deliver(
        hook, delivery("page", "400", item("400", "delivery", {"mids": [], "watermark": 4102444800000}))
    )
    await desk.taken_in(inbox)

    assert sent.delivered_at is None
    assert (await desk.delivery()).delivered_at is not None
    assert (await desk.delivery()).read_at is None


async def test_a_comment_is_answered_in_public(graph, desk):
    inbox, hook, _ = await desk.connect("instagram", {**PROFILE, "api_url": graph.url})
    comment = {"id": "1790", "from": {"id": PERSON, "username": "ada.l"}, "media": {"id": "1780"}, "text": "Snygg!"}

    await graph.deliver(hook, delivery("instagram", "500", changes=[{"field": "comments", "value": comment}]))
    (came,) = await desk.taken_in(inbox)
    sent = await desk.answer("Tack!")

    assert came.text == "Snygg!"
    assert graph.messages == [{"comment": "1790/replies", "message": "Tack!"}]
    assert sent.external_id == "1790_c1"


async def check(kind, given, graph, **more):
    adapter = kind({**given, "api_url": graph.url, **more})
    found = await adapter.check(HOOK)
    await adapter.close()
    return found


async def test_a_page_is_named_and_asked_to_tell_us(graph):
    graph.webhooks["page"] = {"callback_url": HOOK}

    found = await check(MessengerAdapter, PAGE, graph)

    assert (found.problems, found.facts) == ((), {"page": "Open"})
    assert "messages" in graph.webhooks["me/subscribed_apps"]["subscribed_fields"].split(",")


async def test_an_app_that_tells_another_address_is_not_taken_over(graph):
    graph.webhooks["page"] = {"callback_url": "https://other.example/"}

    found = await check(MessengerAdapter, PAGE, graph)

    assert HOOK in found.problems[0]
    assert graph.webhooks["page"] == {"callback_url": "https://other.example/"}


async def test_an_address_that_meta_cannot_reach_is_a_problem(graph):
    found = await check(MessengerAdapter, PAGE, graph)

    assert "did not take the address" in found.problems[0]


async def test_the_token_of_another_page_is_a_problem(graph):
    graph.profiles["me"] = {"id": "999", "name": "Other"}

    assert "another page: Other" in (await check(MessengerAdapter, PAGE, graph)).problems[0]


async def test_the_secret_of_another_app_is_a_problem(graph):
    graph.webhooks["page"] = {"callback_url": HOOK}

    found = await check(MessengerAdapter, PAGE, graph, app_secret="another")

    assert any("app secret" in problem for problem in found.problems)


@pytest.mark.parametrize("kind, given", [(MessengerAdapter, PAGE), (InstagramAdapter, PROFILE)])
async def test_a_bad_token_is_a_problem_in_plain_words(graph, kind, given):
    for token in ("EAAold", ""):
        found = await check(kind, given, graph, **{kind.token_key: token})
        assert "access token" in found.problems[0]


async def test_a_profile_is_named_and_told_what_to_set(graph):
    found = await check(InstagramAdapter, PROFILE, graph)

    assert found.problems == ()
    assert found.facts["username"] == "open"
    assert HOOK in found.facts["in Meta's app settings"]


async def test_a_profile_that_tells_us_nothing_is_a_problem(graph):
    graph.script("subscribed_apps", Answer(400, error(10)), Answer(body={}))

    for words in ("do not come in yet", "did not say"):
        assert words in (await check(InstagramAdapter, PROFILE, graph)).problems[0]


def test_what_has_to_be_put_into_meta_s_settings_can_be_copied():
    places = InstagramAdapter({**PROFILE, "username": "open"}).places("https://desk.example", "k1")

    assert [place[1] for place in places] == ["https://ig.me/m/open", "https://desk.example/hooks/k1/", "v"]


@pytest.mark.parametrize("token, home", [("IGAAx", INSTAGRAM), ("EAAx", FACEBOOK)])
def test_the_host_follows_from_the_token(token, home):
    assert InstagramAdapter({"access_token": token})._open().api_url == home


@pytest.mark.parametrize("secret, is_taken", [("ig", True), ("fb", True), ("other", False), ("", False)])
def test_either_secret_that_is_given_proves_a_delivery(secret, is_taken):
    adapter = InstagramAdapter({"app_secret": "ig", "facebook_app_secret": "fb"})
    request = HookRequest("POST", "/hooks/1/", "", {"x-hub-signature-256": signature(b"{}", secret)}, b"{}")

    try:
        adapter.authenticate(request)
    except WebhookRejected:
        assert not is_taken
    else:
        assert is_taken
