"""What leaves by Slack, what each failure means, and whether it arrived after all."""

import socket
from datetime import UTC, datetime

import pytest

from channels_adapters.adapters.slack import SlackAdapter
from channels_adapters.contract import OutboundFile, OutboundPart, Refused, Retryable, Uncertain
from tests.channels_adapters.fake_slack import Answer, FakeSlack, error
from tests.channels_adapters.patience import patience

HOOK = "https://desk.example/hooks/1/"


@pytest.fixture
async def slack():
    async with FakeSlack() as running:
        yield running


@pytest.fixture
async def adapter(slack):
    made = SlackAdapter({"bot_token": "xoxb-fake", "signing_secret": "s", "api_url": slack.url})
    made.settle_seconds = 0.05
    yield made
    await made.close()


def a_part(text="Hello", thread_id="D1", **fields):
    return OutboundPart(delivery_id=12, thread_id=thread_id, text=text, wanted_at=datetime.now(UTC), **fields)


A_FILE = OutboundFile("bill.pdf", "application/pdf", b"%PDF")


async def test_a_text_goes_to_its_direct_message(slack, adapter):
    receipt = await adapter.send(a_part("1 < 2 & <!channel>"))

    (call,) = slack.called("chat.postMessage")
    assert (call["channel"], call["text"]) == ("D1", "1 &lt; 2 &amp; &lt;!channel&gt;")
    assert "thread_ts" not in call
    assert call["_token"] == "Bearer xoxb-fake"
    assert receipt.external_id == slack.messages[0]["ts"]


async def test_a_text_goes_to_its_thread(slack, adapter):
    await adapter.send(a_part(thread_id="C1:1787219000.000001"))

    (call,) = slack.called("chat.postMessage")
    assert (call["channel"], call["thread_ts"]) == ("C1", "1787219000.000001")


@pytest.mark.parametrize("thread_id", ["", "c1", "C1:", "C1:1", "C1:1.2:3", "-100", "C" * 100])
async def test_what_is_no_conversation_of_slack_is_refused(slack, adapter, thread_id):
    with pytest.raises(Refused, match="no Slack conversation"):
        await adapter.send(a_part(thread_id=thread_id))


async def test_nothing_to_send_is_refused(slack, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part(" "))
    assert slack.calls == []


async def test_a_file_is_uploaded_and_shared_with_its_caption(slack, adapter):
    receipt = await adapter.send(a_part("here", "C1:1787219000.000001", file=A_FILE))

    (call,) = slack.called("files.completeUploadExternal")
    assert slack.uploaded == [b"%PDF"]
    assert (call["channel_id"], call["thread_ts"], call["initial_comment"]) == ("C1", "1787219000.000001", "here")
    assert receipt.external_id == "F1"


async def test_a_file_for_a_person_goes_to_their_direct_message(slack, adapter):
    await adapter.send(a_part("", "U77", file=A_FILE))

    assert slack.called("files.completeUploadExternal")[0]["channel_id"] == "D77"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "https://evil.example/x", "file:///etc/passwd", "//", "["])
async def test_a_file_is_not_brought_to_strangers(slack, adapter, address):
    slack.script("files.getUploadURLExternal", Answer(body={"ok": True, "upload_url": address, "file_id": "F1"}))

    with pytest.raises(Refused, match="does not lie with Slack"):
        await adapter.send(a_part(file=A_FILE))


async def test_too_many_waits_as_long_as_slack_says(slack, adapter):
    slack.script("chat.postMessage", Answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "7"}))

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part())

    assert trouble.value.retry_after == 7


@pytest.mark.parametrize(
    "code, words",
    [
        ("not_in_channel", "invite"),
        ("channel_not_found", "no such conversation"),
        ("is_archived", "archived"),
        ("msg_too_long", "longer"),
        ("of_the_year_2030", "of_the_year_2030"),
    ],
)
async def test_what_slack_will_never_take_is_refused_in_plain_words(slack, adapter, code, words):
    slack.script("chat.postMessage", error(code))

    with pytest.raises(Refused, match=words):
        await adapter.send(a_part())


@pytest.mark.parametrize(
    "code", ["invalid_auth", "token_revoked", "token_expired", "account_inactive", "missing_scope"]
)
async def test_a_bad_token_waits_for_a_person(slack, adapter, code):
    slack.script("chat.postMessage", error(code, needed="chat:write"))

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part())

    assert trouble.value.retry_after == 300
    assert "token" in trouble.value.reason or "chat:write" in trouble.value.reason


@pytest.mark.parametrize(
    "answer, kind",
    [
        (Answer(500, "<html>"), Retryable),
        (Answer(503, {"ok": False, "error": "service_unavailable"}), Retryable),
        (Answer(502, "<html>"), Uncertain),
        (Answer(504, "<html>"), Uncertain),
        (error("fatal_error"), Uncertain),
        (error("internal_error"), Uncertain),
        (Answer(200, "<html>"), Uncertain),
        (Answer(200, {"ok": True}), Uncertain),
        (Answer(200, {"ok": False}), Uncertain),
        (Answer(200, {"ok": True, "ts": 5}), Uncertain),
        (Answer(200, [1]), Uncertain),
        (Answer(403, "<html>proxy"), Retryable),
        (Answer(arrives=True, how="drop"), Uncertain),
        (Answer(arrives=True, how="hang"), Uncertain),
    ],
    ids=str,
)
async def test_each_failure_says_whether_it_may_have_arrived(slack, adapter, answer, kind):
    adapter.call_seconds = patience(answer.how)
    slack.script("chat.postMessage", answer)

    with pytest.raises(kind):
        await adapter.send(a_part())

    assert len(slack.called("chat.postMessage")) == 1


async def test_slack_that_cannot_be_reached_took_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    adapter = SlackAdapter({"bot_token": "xoxb-fake", "api_url": url})

    with pytest.raises(Retryable, match="could not be reached"):
        await adapter.send(a_part())
    await adapter.close()


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_of_a_file_only_the_last_step_is_unsure(slack, adapter, step):
    slack.script(step, Answer(how="drop"))

    with pytest.raises(Uncertain if step == "files.completeUploadExternal" else Retryable):
        await adapter.send(a_part(file=A_FILE))


@pytest.mark.parametrize("thread_id", ["D1", "C1:1787219000.000001", "U77"])
async def test_a_message_whose_answer_was_lost_is_found(slack, adapter, thread_id):
    slack.script("chat.postMessage", Answer(arrives=True, how="drop"))
    with pytest.raises(Uncertain):
        await adapter.send(a_part(thread_id=thread_id))

    found = await adapter.look_up(a_part(thread_id=thread_id))

    assert found.external_id == slack.messages[0]["ts"]


async def test_a_message_that_is_not_there_did_not_arrive(slack, adapter):
    await adapter.send(OutboundPart(11, "D1", "another"))

    assert await adapter.look_up(a_part()) is None
    assert len(slack.called("conversations.history")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        error("missing_scope"),
        error("ratelimited"),
        Answer(how="drop"),
        Answer(502, "<html>"),
        Answer(body={"ok": True}),
        Answer(body={"ok": True, "messages": [], "has_more": True}),
    ],
    ids=str,
)
async def test_where_slack_does_not_say_it_stays_open(slack, adapter, answer):
    slack.script("conversations.history", *[answer] * 10)

    with pytest.raises((Retryable, Uncertain)):
        await adapter.look_up(a_part())


async def test_a_file_cannot_be_looked_up(slack, adapter):
    with pytest.raises((Retryable, Uncertain)):
        await adapter.look_up(a_part(file=A_FILE))


async def test_a_file_is_fetched_with_the_token(slack, adapter):
    slack.files["F9"] = (b"GIF89a", "image/gif")

    assert await adapter.fetch("F9", 100) == b"GIF89a"


async def test_a_file_over_the_limit_is_refused(slack, adapter):
    slack.files["F9"] = (b"x" * 101, "image/gif")

    with pytest.raises(Refused, match="larger"):
        await adapter.fetch("F9", 100)


async def test_slack_s_login_page_is_no_file(slack):
    slack.files["F9"] = (b"GIF89a", "image/gif")
    adapter = SlackAdapter({"bot_token": "xoxb-other", "api_url": slack.url})

    with pytest.raises(Retryable, match="token"):
        await adapter.fetch("F9", 100)
    await adapter.close()


@pytest.mark.parametrize(
    "address", ["https://evil.example/x", "http://127.0.0.1:1/", "https://files.slack.com.evil.example/"]
)
async def test_the_token_is_not_shown_to_strangers(slack, adapter, address):
    slack.script("files.info", Answer(body={"ok": True, "file": {"url_private": address}}))

    with pytest.raises(Refused, match="does not lie with Slack"):
        await adapter.fetch("F9", 100)


async def test_a_file_that_is_gone_is_refused(slack, adapter):
    slack.script("files.info", error("file_not_found"), Answer(body={"ok": True, "file": {"id": "F9"}}))

    for _ in range(2):
        with pytest.raises(Refused):
            await adapter.fetch("F9", 100)


async def test_a_working_app_is_named_and_told_what_to_set(slack, adapter):
    found = await adapter.check(HOOK)

    assert found.problems == ()
    assert found.facts["bot"] == "@rapport"
    assert (found.facts["team_id"], found.facts["bot_user_id"], found.facts["bot_id"]) == ("T1", "U1", "B1")
    assert HOOK in found.facts["in Slack's app settings"]


async def test_a_bad_token_is_a_problem_in_plain_words(slack, adapter):
    slack.script("auth.test", error("invalid_auth"))

    assert "token" in (await adapter.check(HOOK)).problems[0]


async def test_neither_secret_nor_app_token_is_a_problem(slack):
    found = await SlackAdapter({"bot_token": "xoxb-fake", "api_url": slack.url}).check(HOOK)

    assert "signing secret" in found.problems[0]


async def test_socket_mode_is_tried_too(slack):
    adapter = SlackAdapter({"bot_token": "xoxb-fake", "app_token": "xapp-1", "api_url": slack.url})
    slack.script("apps.connections.open", error("invalid_auth"))

    found = await adapter.check(HOOK)
    await adapter.close()

    assert found.problems[0].startswith("Socket Mode")


@pytest.mark.parametrize("token", ["", "é", "xoxb\n1"])
async def test_a_token_that_is_none_is_a_problem(slack, token):
    adapter = SlackAdapter({"bot_token": token, "signing_secret": "s", "api_url": slack.url})

    assert "token" in (await adapter.check(HOOK)).problems[0]
