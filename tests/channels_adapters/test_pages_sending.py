"""What leaves by Messenger and Instagram, under comments too; what failures mean; how files and names are fetched."""

import pytest

from channels_adapters.adapters.instagram import InstagramAdapter, in_bytes
from channels_adapters.adapters.messenger import MessengerAdapter
from channels_adapters.contract import (
    Button,
    OutboundAct,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    Uncertain,
)
from crm.web import outgoing
from tests.channels_adapters.fake_graph import TOKEN, Answer, FakeGraph, error
from tests.channels_adapters.patience import patience

PERSON, COMMENT = "4001112223334445", "comment:400_9_1"
PNG = OutboundFile("räkning.png", "image/png", b"\x89PNG", "https://desk.example/f/1")
MESSENGER = {"page_id": "400", "page_token": TOKEN, "app_id": "401", "app_secret": "app_secret", "verify_token": "v"}
INSTAGRAM = {"ig_id": "500", "access_token": TOKEN, "app_secret": "app_secret", "verify_token": "v"}


@pytest.fixture
async def graph():
    async with FakeGraph(tokens=(TOKEN, "IGfake")) as running:
        yield running


def made(kind, given, graph):
    adapter = kind({**given, "api_url": graph.url})
    return adapter


@pytest.fixture
async def messenger(graph):
    adapter = made(MessengerAdapter, MESSENGER, graph)
    yield adapter
    await adapter.close()


@pytest.fixture
async def instagram(graph):
    """With the token of a page: files are uploaded."""
    adapter = made(InstagramAdapter, INSTAGRAM, graph)
    yield adapter
    await adapter.close()


@pytest.fixture
async def by_login(graph):
    """With the token of Instagram Login: files are fetched from us."""
    adapter = made(InstagramAdapter, {**INSTAGRAM, "access_token": "IGfake"}, graph)
    yield adapter
    await adapter.close()


@pytest.fixture
def pages(messenger, instagram):
    return {"messenger": messenger, "instagram": instagram}


@pytest.fixture(params=["messenger", "instagram"])
def adapter(request, pages):
    return pages[request.param]


def a_part(text="Hej", thread_id=PERSON, **fields):
    return OutboundPart(delivery_id=12, thread_id=thread_id, text=text, **fields)


async def test_a_text_goes_to_its_person_as_an_answer(graph, adapter):
    receipt = await adapter.send(a_part("1 < 2 👋🏽"))

    (said,) = graph.messages
    assert said == {"recipient": {"id": PERSON}, "messaging_type": "RESPONSE", "message": {"text": "1 < 2 👋🏽"}}
    assert receipt.external_id == "m_fake1"
    assert (graph.calls[0].token, graph.calls[0].query) == (TOKEN, {})


async def test_after_a_day_an_agent_s_answer_says_that_it_is_one(graph, adapter):
    await adapter.send(a_part(late=True))

    assert (graph.messages[0]["messaging_type"], graph.messages[0]["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")


@pytest.mark.parametrize("reply_to, named", [("m_in1", {"mid": "m_in1"}), ("callback:m_in1", None), ("", None)])
async def test_an_answer_names_the_message_it_answers(graph, messenger, reply_to, named):
    await messenger.send(a_part(reply_to=reply_to))

    assert graph.messages[0]["message"].get("reply_to") == named


@pytest.mark.parametrize("thread_id", ["", "me", "../me", "12/messages", "é", "٣"])
async def test_what_is_no_conversation_is_refused(graph, adapter, thread_id):
    with pytest.raises(Refused, match="no conversation"):
        await adapter.send(a_part(thread_id=thread_id))

    assert graph.calls == []


async def test_buttons_are_quick_replies(graph, adapter):
    await adapter.send(a_part("Välj", buttons=tuple(Button(f"Number {n} of the thirteen", f"c{n}") for n in range(13))))

    replies = graph.messages[0]["message"]["quick_replies"]
    assert [reply["payload"] for reply in replies] == [f"c{n}" for n in range(13)]


async def test_more_buttons_than_meta_takes_are_refused(graph, adapter):
    with pytest.raises(Refused, match="13 buttons"):
        await adapter.send(a_part(buttons=tuple(Button(str(n), str(n)) for n in range(14))))


async def test_a_button_that_opens_a_page_stands_on_a_card(graph, adapter):
    await adapter.send(a_part("Betala?", buttons=(Button("Betala", url="https://pay.example/1"), Button("Nej", "no"))))

    card = graph.messages[0]["message"]["attachment"]["payload"]
    assert [button["type"] for button in card["buttons"]] == ["web_url", "postback"]
    assert card["text"] == "Betala?"


async def test_beside_many_buttons_or_a_long_text_its_address_joins_the_text(graph, messenger):
    await messenger.send(a_part("x" * 700, buttons=(Button("Läs", url="https://open.example/"), Button("Nej", "no"))))

    message = graph.messages[0]["message"]
    assert message["text"].endswith("x\nLäs: https://open.example/")
    assert [reply["title"] for reply in message["quick_replies"]] == ["Nej"]


async def test_a_file_is_uploaded_and_shown_and_its_text_follows(graph, adapter):
    await adapter.send(a_part("Här", file=PNG))

    (upload,) = graph.called("message_attachments")
    shown, text = [said["message"] for said in graph.messages]
    assert upload.body["filedata"][0].isascii()
    assert upload.body["platform"] == adapter.channel
    assert graph.media[shown["attachment"]["payload"]["attachment_id"]] == (b"\x89PNG", "image/png")
    assert text == {"text": "Här"}


async def test_by_instagram_login_a_file_is_named_by_its_address(graph, by_login):
    await by_login.send(a_part("", file=PNG))

    assert graph.messages[0]["message"]["attachment"] == {
        "type": "image",
        "payload": {"url": "https://desk.example/f/1"},
    }
    assert graph.called("message_attachments") == []


@pytest.mark.parametrize("url", ["", "http://desk.example/f/1"])
async def test_without_a_public_address_it_is_refused(graph, by_login, url):
    with pytest.raises(Refused, match="PUBLIC_URL"):
        await by_login.send(a_part("", file=OutboundFile("a.png", "image/png", b"x", url)))


@pytest.mark.parametrize(
    "file, words",
    [
        (OutboundFile("x.png", "image/png", b""), "empty"),
        (OutboundFile("x.png", "image/png", b"x" * (8 * 1024 * 1024 + 1)), "up to 8 MB"),
        (OutboundFile("x.mp4", "video/mp4", b"x" * (25 * 1024 * 1024 + 1)), "up to 25 MB"),
    ],
    ids=["empty", "picture", "film"],
)
async def test_a_file_that_meta_does_not_take_is_refused_before_it_leaves(graph, adapter, file, words):
    with pytest.raises(Refused, match=words):
        await adapter.send(a_part(file=file))

    assert graph.calls == []


async def test_instagram_takes_some_types_only(graph, instagram, messenger):
    file = OutboundFile("a.zip", "application/zip", b"PK")
    await messenger.send(a_part("", file=file))

    with pytest.raises(Refused, match="no files of the type application/zip"):
        await instagram.send(a_part("", file=file))


async def test_of_a_file_only_the_last_step_is_unsure(graph, adapter):
    graph.script("message_attachments", Answer(how="drop"))
    graph.script("me/messages", Answer(how="drop"))

    with pytest.raises(Retryable):
        await adapter.send(a_part("", file=PNG))
    with pytest.raises(Uncertain):
        await adapter.send(a_part("", file=PNG))


@pytest.mark.parametrize(
    "text",
    ["kort", "å" * 1000, "👩🏽‍🚀" * 200, "ord " * 600, "x" * 2500],
    ids=["short", "å", "emoji", "words", "one word"],
)
def test_a_text_is_cut_by_bytes_and_never_inside_an_emoji(text):
    pieces = in_bytes(text)

    assert all(len(piece.encode()) <= 1000 for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")
    assert not any(piece.startswith(("\u200d", "🏽", "🚀")) for piece in pieces)


async def test_on_instagram_a_long_text_leaves_in_pieces_with_the_buttons_below(graph, instagram):
    receipt = await instagram.send(a_part("å" * 900, buttons=(Button("Ja", "y"),)))

    first, last = [said["message"] for said in graph.messages]
    assert "quick_replies" not in first
    assert last["quick_replies"][0]["payload"] == "y"
    assert receipt.external_id == "m_fake2"


async def test_when_only_its_beginning_arrived_it_is_uncertain(graph, instagram):
    graph.script("me/messages", Answer(arrives=True, body={"message_id": "m_1"}), Answer(400, error(551)))

    with pytest.raises(Uncertain, match="the beginning arrived"):
        await instagram.send(a_part("å" * 900))


@pytest.mark.parametrize("channel, path", [("messenger", "400_9_1/comments"), ("instagram", "400_9_1/replies")])
async def test_under_a_comment_the_answer_is_public(graph, channel, path, pages):
    adapter = pages[channel]

    receipt = await adapter.send(a_part("Tack!", COMMENT, is_public=True, answers={"comment_id": "400_9_1"}))

    assert graph.messages == [{"comment": path, "message": "Tack!"}]
    assert receipt.external_id == "400_9_1_c1"


async def test_under_a_comment_no_file_can_stand(graph, adapter):
    with pytest.raises(Refused, match="text only"):
        await adapter.send(a_part("", COMMENT, is_public=True, file=PNG))


@pytest.mark.parametrize("thread_id", ["comment:", "comment:../me", "comment:1/x"])
async def test_what_is_no_comment_is_refused(graph, adapter, thread_id):
    with pytest.raises(Refused, match="no comment"):
        await adapter.send(a_part(thread_id=thread_id, is_public=True))


async def test_who_wrote_a_comment_is_answered_in_private_by_it(graph, adapter):
    await adapter.send(a_part("Hej Ada", answers={"comment_id": "400_9_1"}, late=True))

    assert graph.messages[0] == {"recipient": {"comment_id": "400_9_1"}, "message": {"text": "Hej Ada"}}


async def test_once_they_wrote_in_private_they_are_answered_there(graph, adapter):
    await adapter.send(a_part("Hej Ada", answers={}))

    assert graph.messages[0]["recipient"] == {"id": PERSON}


@pytest.mark.parametrize(
    "channel, kind, call",
    [
        ("messenger", "hide", ("POST", "400_9_1", {"is_hidden": True})),
        ("messenger", "unhide", ("POST", "400_9_1", {"is_hidden": False})),
        ("messenger", "like", ("POST", "400_9_1/likes", {})),
        ("messenger", "unlike", ("DELETE", "400_9_1/likes", {})),
        ("messenger", "delete", ("DELETE", "400_9_1", {})),
        ("instagram", "hide", ("POST", "400_9_1", {"hide": True})),
        ("instagram", "unhide", ("POST", "400_9_1", {"hide": False})),
        ("instagram", "delete", ("DELETE", "400_9_1", {})),
    ],
)
async def test_a_comment_is_hidden_liked_and_deleted(graph, pages, channel, kind, call):
    await pages[channel].act(OutboundAct(12, kind, COMMENT, "400_9_1"))

    (made,) = graph.calls
    assert (made.method, made.path, made.body) == call


@pytest.mark.parametrize(
    "channel, kind, thread_id",
    [
        ("messenger", "delete", PERSON),
        ("messenger", "edit", PERSON),
        ("messenger", "react", PERSON),
        ("messenger", "edit", COMMENT),
        ("instagram", "delete", PERSON),
        ("instagram", "like", COMMENT),
        ("instagram", "react", COMMENT),
    ],
)
async def test_what_cannot_be_done_is_refused(graph, pages, channel, kind, thread_id):
    with pytest.raises(Refused):
        await pages[channel].act(OutboundAct(12, kind, thread_id, "400_9_1", "❤️"))

    assert graph.calls == []


async def test_under_a_comment_there_is_no_read_mark(graph, adapter):
    await adapter.act(OutboundAct(12, "read", COMMENT, "400_9_1"))

    assert graph.calls == []


async def test_writing_and_reading_are_shown(graph, adapter):
    await adapter.typing(PERSON)
    await adapter.act(OutboundAct(12, "read", PERSON, "m_in1"))

    assert [call.body["sender_action"] for call in graph.calls] == ["typing_on", "mark_seen"]
    assert all(call.body["recipient"] == {"id": PERSON} for call in graph.calls)


@pytest.mark.parametrize(
    "emoji, action, payload",
    [("❤️", "react", {"message_id": "m_in1", "reaction": "love"}), ("", "unreact", {"message_id": "m_in1"})],
)
async def test_on_instagram_a_heart_is_given_and_taken_back(graph, instagram, emoji, action, payload):
    await instagram.act(OutboundAct(12, "react", PERSON, "m_in1", emoji))

    assert (graph.calls[0].body["sender_action"], graph.calls[0].body["payload"]) == (action, payload)


@pytest.mark.parametrize(
    "code, subcode, words",
    [
        (10, 2018278, "within 24 hours"),
        (10, 2534022, "within 24 hours"),
        (551, 1545041, "blocked us"),
        (200, 1545041, "blocked us"),
        (100, 2018001, "no such person"),
        (100, 2534014, "no such person"),
        (9007, None, "cannot be written to"),
        (10900, None, "answered in private before"),
        (230, None, "not agreed"),
        (10, None, "permission"),
        (2018300, None, "another app"),
    ],
)
async def test_what_meta_will_never_take_is_refused_in_plain_words(graph, adapter, code, subcode, words):
    graph.script("me/messages", Answer(400, error(code, subcode)))

    with pytest.raises(Refused, match=words):
        await adapter.send(a_part())


@pytest.mark.parametrize(
    "answer, kind",
    [
        (Answer(400, error(190, 463)), Retryable),
        (Answer(400, error(613)), Retryable),
        (Answer(400, error(1200)), Retryable),
        (Answer(400, error(-1)), Retryable),
        (Answer(200, error(2018001, 2018001)), Refused),
        (Answer(500, "<html>"), Retryable),
        (Answer(504, "<html>"), Uncertain),
        (Answer(200, "<html>"), Uncertain),
        (Answer(200, {"recipient_id": PERSON}), Uncertain),
        (Answer(arrives=True, how="drop"), Uncertain),
        (Answer(arrives=True, how="hang"), Uncertain),
    ],
    ids=str,
)
async def test_each_failure_says_whether_it_may_have_arrived(graph, adapter, answer, kind):
    adapter.call_seconds = patience(answer.how)
    graph.script("me/messages", answer)

    with pytest.raises(kind):
        await adapter.send(a_part())

    assert len(graph.called("me/messages")) == 1


async def test_a_public_answer_whose_answer_was_lost_is_uncertain(graph, messenger):
    graph.script("comments", Answer(arrives=True, how="drop"), Answer(200, {}))

    for _ in range(2):
        with pytest.raises(Uncertain):
            await messenger.send(a_part("Tack!", COMMENT, is_public=True))


async def test_a_file_is_fetched_without_the_token(graph, adapter):
    graph.files["1.jpg"] = (b"\xff\xd8", "image/jpeg")

    assert await adapter.fetch(f"{graph.url}/content/1.jpg", 100) == b"\xff\xd8"
    with pytest.raises(Retryable):
        await adapter.fetch(f"{graph.url}/content/1.jpg?token=needed", 100)


@pytest.mark.parametrize("address", ["https://evil.example/x", "http://127.0.0.1:1/", "file:///etc/passwd", "", "["])
async def test_a_file_of_strangers_is_not_fetched(graph, adapter, address):
    with pytest.raises(Refused, match="does not lie with Meta"):
        await adapter.fetch(address, 100)


async def test_a_file_that_is_gone_or_too_large_is_refused(graph, adapter):
    graph.files["1.jpg"] = (b"x" * 101, "image/jpeg")

    for name, words in (("1.jpg", "larger"), ("2.jpg", "no longer")):
        with pytest.raises(Refused, match=words):
            await adapter.fetch(f"{graph.url}/content/{name}", 100)


async def test_a_way_from_host_to_host_is_followed_among_meta_s_only(graph, adapter):
    graph.files["1.jpg"] = (b"\xff\xd8", "image/jpeg")
    graph.moved["a"] = "/content/1.jpg"
    graph.moved["b"] = "http://169.254.169.254/latest/meta-data/"
    graph.moved["c"] = "/content/c"

    assert await adapter.fetch(f"{graph.url}/content/a", 100) == b"\xff\xd8"
    with pytest.raises(Refused, match="does not lie with Meta"):
        await adapter.fetch(f"{graph.url}/content/b", 100)
    with pytest.raises(Retryable, match="in circles"):
        await adapter.fetch(f"{graph.url}/content/c", 100)


async def test_a_person_s_name_is_asked_for(graph, messenger, instagram):
    graph.profiles[PERSON] = {"first_name": "Ada", "last_name": "Lind", "profile_pic": "https://x.fbcdn.net/1"}
    ada = await messenger.profile(PERSON)
    graph.profiles[PERSON] = {"name": "", "username": "ada.l"}
    also_ada = await instagram.profile(PERSON)

    assert (ada.address, ada.name, ada.picture) == (PERSON, "Ada Lind", "https://x.fbcdn.net/1")
    assert (also_ada.name, also_ada.username) == ("ada.l", "ada.l")


async def test_a_person_of_whom_meta_tells_nothing_has_no_name(graph, adapter):
    graph.profiles[PERSON] = {}
    assert await adapter.profile(PERSON) is None
    graph.profiles.clear()

    with pytest.raises(Refused):
        await adapter.profile(PERSON)


async def test_an_inside_address_is_called_only_when_the_command_line_names_it(graph):
    adapter = MessengerAdapter({**MESSENGER, "api_url": graph.url})
    there = adapter._open()
    there._http, strict = outgoing.client(), there._http

    with pytest.raises(Retryable, match="could not be reached"):
        await adapter.send(a_part())

    await strict.aclose()
    await adapter.close()
    assert graph.calls == []
