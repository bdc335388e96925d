"""What leaves by WhatsApp, what each failure means, and how files are fetched."""

import socket

import pytest

from channels_adapters.adapters.whatsapp import WhatsAppAdapter
from channels_adapters.contract import (
    Button,
    OutboundAct,
    OutboundFile,
    OutboundPart,
    Refused,
    Retryable,
    TemplateUse,
    Uncertain,
)
from tests.channels_adapters.fake_graph import TOKEN, Answer, FakeGraph, error
from tests.channels_adapters.patience import patience

PDF = OutboundFile("Räkning 7.pdf", "application/pdf", b"%PDF-1.7")
HELLO = {
    "name": "hello",
    "language": "sv",
    "status": "APPROVED",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Hej {{1}}"},
        {"type": "BODY", "text": "Paketet {{1}} kommer {{ 2 }}."},
        {"type": "FOOTER", "text": "Open"},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Tack"},
                {"type": "URL", "text": "Följ", "url": "https://open.example/{{1}}"},
            ],
        },
    ],
}
PLAIN = {"name": "plain", "language": "sv", "status": "APPROVED", "components": [{"type": "BODY", "text": "Hej!"}]}


@pytest.fixture
async def graph():
    async with FakeGraph() as running:
        yield running


def settings(graph, **more):
    given = {"phone_number_id": "301", "waba_id": "300", "access_token": TOKEN, "app_secret": "app_secret"}
    return {**given, "verify_token": "v", "api_url": graph.url, **more}


@pytest.fixture
async def adapter(graph):
    made = WhatsAppAdapter(settings(graph))
    yield made
    await made.close()


def a_part(text="Hello", thread_id="46701234567", **fields):
    return OutboundPart(delivery_id=12, thread_id=thread_id, text=text, **fields)


@pytest.mark.parametrize("thread_id", ["46701234567", "+46701234567"])
async def test_a_text_goes_to_its_number_with_our_mark(graph, adapter, thread_id):
    receipt = await adapter.send(a_part("Hej *Ada*", thread_id))

    (said,) = graph.messages
    assert (said["to"], said["recipient_type"], said["text"]["body"]) == ("46701234567", "individual", "Hej *Ada*")
    assert said["biz_opaque_callback_data"] == "12"
    assert "context" not in said
    assert receipt.external_id == "wamid.FAKE1"
    assert graph.calls[0].token == TOKEN
    assert graph.calls[0].query == {}


async def test_a_person_who_hides_their_number_is_reached_by_their_id(graph, adapter):
    await adapter.send(a_part(thread_id="SE.13491208655302741918"))

    assert graph.messages[0]["recipient"] == "SE.13491208655302741918"
    assert "to" not in graph.messages[0]


async def test_where_their_number_is_known_it_is_used(graph, adapter):
    await adapter.send(a_part(thread_id="SE.13491208655302741918", address="46701234567"))

    assert graph.messages[0]["to"] == "46701234567"


async def test_a_group_is_reached_as_one(graph, adapter):
    await adapter.send(a_part(thread_id="Y2FwaV9ncm91cDox"))

    assert (graph.messages[0]["recipient_type"], graph.messages[0]["to"]) == ("group", "Y2FwaV9ncm91cDox")


@pytest.mark.parametrize("thread_id", ["", "+46 70", "12", "a b", "../me", "SE.é"])
async def test_what_is_no_conversation_of_whatsapp_is_refused(graph, adapter, thread_id):
    with pytest.raises(Refused, match="no WhatsApp conversation"):
        await adapter.send(a_part(thread_id=thread_id))

    assert graph.messages == []


async def test_nothing_to_send_is_refused(graph, adapter):
    with pytest.raises(Refused, match="nothing to send"):
        await adapter.send(a_part(" "))
    assert graph.calls == []


@pytest.mark.parametrize("reply_to, context", [("wamid.IN1", {"message_id": "wamid.IN1"}), ("callback:1", None)])
async def test_an_answer_names_the_message_it_answers(graph, adapter, reply_to, context):
    await adapter.send(a_part(reply_to=reply_to))

    assert graph.messages[0].get("context") == context


@pytest.mark.parametrize(
    "mime, kind",
    [
        ("image/png", "image"),
        ("video/mp4", "video"),
        ("application/pdf", "document"),
        ("audio/ogg; codecs=opus", "audio"),
    ],
)
async def test_a_file_is_uploaded_and_sent_as_what_it_is(graph, adapter, mime, kind):
    await adapter.send(a_part("", file=OutboundFile("räkning.x", mime, b"data")))

    (upload,), (said,) = graph.called("/media"), graph.messages
    assert (upload.body["messaging_product"], upload.body["file"][2]) == ("whatsapp", b"data")
    assert upload.body["file"][0].isascii()
    assert said["type"] == kind
    assert graph.media[said[kind]["id"]][0] == b"data"


async def test_a_document_keeps_its_name_and_caption(graph, adapter):
    await adapter.send(a_part("Här är den", file=PDF))

    document = graph.messages[0]["document"]
    assert (document["filename"], document["caption"]) == ("Räkning 7.pdf", "Här är den")


async def test_a_voice_message_is_followed_by_its_text(graph, adapter):
    receipt = await adapter.send(a_part("Lyssna", file=OutboundFile("a.ogg", "audio/ogg", b"OggS")))

    voice, text = graph.messages
    assert (voice["type"], text["text"]["body"]) == ("audio", "Lyssna")
    assert "caption" not in voice["audio"]
    assert receipt.external_id == "wamid.FAKE2"  # the upload took the first number


async def test_a_text_that_fails_after_its_voice_message_leaves_the_part_uncertain(graph, adapter):
    graph.script("messages", Answer(arrives=True, body={"messages": [{"id": "wamid.V"}]}), Answer(400, error(131026)))

    with pytest.raises(Uncertain, match="the file arrived"):
        await adapter.send(a_part("Lyssna", file=OutboundFile("a.ogg", "audio/ogg", b"OggS")))


@pytest.mark.parametrize(
    "file, words",
    [
        (OutboundFile("x.exe", "application/x-msdownload", b"MZ"), "takes no files of the type"),
        (OutboundFile("x.png", "image/png", b""), "empty"),
        (OutboundFile("x.png", "image/png", b"x" * (5 * 1024 * 1024 + 1)), "up to 5 MB"),
        (OutboundFile("x.webp", "image/webp", b"x" * (512 * 1024 + 1)), "up to 0.5 MB"),
    ],
    ids=["type", "empty", "picture", "sticker"],
)
async def test_a_file_that_whatsapp_does_not_take_is_refused_before_it_leaves(graph, adapter, file, words):
    with pytest.raises(Refused, match=words):
        await adapter.send(a_part(file=file))

    assert graph.calls == []


async def test_of_a_file_only_the_last_step_is_unsure(graph, adapter):
    graph.script("media", Answer(how="drop"))
    graph.script("messages", Answer(how="drop"))

    with pytest.raises(Retryable):
        await adapter.send(a_part(file=PDF))
    with pytest.raises(Uncertain):
        await adapter.send(a_part(file=PDF))


@pytest.mark.parametrize("count, kind", [(1, "button"), (3, "button"), (4, "list"), (10, "list")])
async def test_buttons_become_buttons_and_more_become_a_list(graph, adapter, count, kind):
    buttons = tuple(Button(f"Choice number {number}", f"c{number}") for number in range(count))

    await adapter.send(a_part("Välj", buttons=buttons))

    assert graph.messages[0]["interactive"]["type"] == kind


async def test_a_button_that_opens_a_page_stands_alone(graph, adapter):
    await adapter.send(a_part("Betala", buttons=(Button("Betala nu", url="https://pay.example/1"),)))

    interactive = graph.messages[0]["interactive"]
    assert (interactive["type"], interactive["action"]["parameters"]["url"]) == ("cta_url", "https://pay.example/1")


async def test_beside_other_buttons_its_address_joins_the_text(graph, adapter):
    await adapter.send(a_part("Hur?", buttons=(Button("Ja", "y"), Button("Läs", url="https://open.example/"))))

    interactive = graph.messages[0]["interactive"]
    assert interactive["body"]["text"] == "Hur?\nLäs: https://open.example/"
    assert len(interactive["action"]["buttons"]) == 1


async def test_several_pages_are_addresses_in_the_text(graph, adapter):
    await adapter.send(
        a_part("Läs", buttons=(Button("A", url="https://a.example/"), Button("B", url="https://b.example/")))
    )

    assert graph.messages[0]["text"]["body"] == "Läs\nA: https://a.example/\nB: https://b.example/"


@pytest.mark.parametrize(
    "text, count, words", [("x" * 1025, 1, "1024 characters"), ("Välj", 11, "10 buttons")], ids=["text", "count"]
)
async def test_buttons_that_whatsapp_does_not_take_are_refused(graph, adapter, text, count, words):
    with pytest.raises(Refused, match=words):
        await adapter.send(a_part(text, buttons=tuple(Button(str(n), str(n)) for n in range(count))))


async def test_the_templates_are_listed_page_by_page_with_their_states(graph, adapter):
    paused = {**PLAIN, "name": "paused", "status": "PAUSED"}
    rejected = {**PLAIN, "name": "rejected", "status": "REJECTED", "rejected_reason": "TAG_CONTENT_MISMATCH"}
    gone = {**PLAIN, "name": "gone", "status": "DELETED"}
    carousel = {**PLAIN, "name": "carousel", "components": [{"type": "CAROUSEL"}]}
    graph.templates = [HELLO, PLAIN, paused, rejected, gone, carousel]

    hello, plain, *others = await adapter.templates()

    assert (
        hello.text
        == "Hej {{header_1}}\nPaketet {{1}} kommer {{2}}.\nOpen\n[Tack]\n[Följ] https://open.example/{{button_1}}"
    )
    assert hello.variables == ("header_1", "1", "2", "button_1")
    assert (hello.status, hello.category, hello.language) == ("approved", "utility", "sv")
    assert (plain.text, plain.variables) == ("Hej!", ())
    assert [(other.name, other.status, other.reason) for other in others] == [
        ("paused", "paused", ""),
        ("rejected", "rejected", "tag content mismatch"),
    ]


async def test_a_template_is_sent_with_each_value_in_its_place(graph, adapter):
    graph.templates = [HELLO]

    await adapter.send(a_part("as it reads", template=TemplateUse("hello", "sv", ("Ada", "7", "i dag", "p/7"))))

    said = graph.messages[0]["template"]
    assert (said["name"], said["language"]) == ("hello", {"code": "sv"})
    assert said["components"] == [
        {"type": "header", "parameters": [{"type": "text", "text": "Ada"}]},
        {"type": "body", "parameters": [{"type": "text", "text": "7"}, {"type": "text", "text": "i dag"}]},
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [{"type": "text", "text": "p/7"}]},
    ]


async def test_named_values_and_a_picture_above_are_sent_by_name(graph, adapter):
    components = [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Hej {{name}}"}]
    graph.templates = [{**PLAIN, "components": components}]

    await adapter.send(a_part(template=TemplateUse("plain", "sv", ("https://open.example/a.png", "Ada"))))

    assert graph.messages[0]["template"]["components"] == [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://open.example/a.png"}}]},
        {"type": "body", "parameters": [{"type": "text", "parameter_name": "name", "text": "Ada"}]},
    ]


@pytest.mark.parametrize(
    "use, words",
    [
        (TemplateUse("nobody", "sv"), "no template"),
        (TemplateUse("hello", "en"), "no template"),
        (TemplateUse("hello", "sv", ("one",)), "takes 4 values, not 1"),
        (TemplateUse("hello", "sv", ("a", "b", " ", "c")), "empty"),
        (TemplateUse("paused", "sv"), "it is paused"),
    ],
)
async def test_a_template_that_does_not_fit_is_refused_before_it_leaves(graph, adapter, use, words):
    graph.templates = [HELLO, {**PLAIN, "name": "paused", "status": "PAUSED"}]

    with pytest.raises(Refused, match=words):
        await adapter.send(a_part(template=use))

    assert graph.messages == []


async def test_a_template_approved_a_moment_ago_is_found(graph, adapter):
    graph.templates = [PLAIN]
    await adapter.send(a_part(template=TemplateUse("plain", "sv")))
    graph.templates = [PLAIN, {**PLAIN, "name": "new"}]

    await adapter.send(a_part(template=TemplateUse("new", "sv")))
    await adapter.send(a_part(template=TemplateUse("new", "sv")))

    assert len(graph.called("message_templates")) == 2


@pytest.mark.parametrize("emoji", ["👍🏽", ""])
async def test_a_reaction_is_set_and_taken_back(graph, adapter, emoji):
    await adapter.act(OutboundAct(12, "react", "46701234567", "wamid.IN1", emoji))

    assert graph.messages[0]["reaction"] == {"message_id": "wamid.IN1", "emoji": emoji}


async def test_reading_and_writing_are_shown(graph, adapter):
    await adapter.act(OutboundAct(12, "read", "46701234567", "wamid.IN1"))
    await adapter.typing_under("46701234567", "wamid.IN2")

    read, typing = [call.body for call in graph.calls]
    assert (read["status"], read["message_id"]) == ("read", "wamid.IN1")
    assert "typing_indicator" not in read
    assert (typing["message_id"], typing["typing_indicator"]) == ("wamid.IN2", {"type": "text"})


@pytest.mark.parametrize("kind", ["edit", "delete", "hide", "like"])
async def test_what_whatsapp_cannot_do_is_refused(graph, adapter, kind):
    with pytest.raises(Refused, match="neither change nor take back"):
        await adapter.act(OutboundAct(12, kind, "46701234567", "wamid.OUT1", "x"))

    assert graph.calls == []


@pytest.mark.parametrize(
    "code, words",
    [
        (131047, "use a template"),
        (131026, "cannot be delivered"),
        (131049, "a day at the earliest"),
        (131050, "do not want marketing"),
        (131030, "test number"),
        (131051, "of this kind"),
        (131062, "no phone number"),
        (131005, "permission"),
        (132001, "no such template"),
        (132015, "paused"),
        (10, "permission"),
    ],
)
async def test_what_whatsapp_will_never_take_is_refused_in_plain_words(graph, adapter, code, words):
    graph.script("messages", Answer(400, error(code)))

    with pytest.raises(Refused, match=words):
        await adapter.send(a_part())


async def test_an_error_without_words_of_ours_is_told_in_meta_s(graph, adapter):
    graph.script("messages", Answer(400, error(100, message="(#100) Odd", error_data={"details": "The moon is wrong"})))

    with pytest.raises(Refused, match="Meta says: The moon is wrong"):
        await adapter.send(a_part())


@pytest.mark.parametrize("code", [190, 0, 131042, 131031, 368])
async def test_what_a_person_has_to_mend_waits_five_minutes(graph, adapter, code):
    graph.script("messages", Answer(401, error(code, message=f"token {TOKEN}")))

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part())

    assert trouble.value.retry_after == 300
    assert TOKEN not in trouble.value.reason


@pytest.mark.parametrize(
    "answer, seconds",
    [
        (Answer(429, error(130429)), None),
        (Answer(400, error(131056)), 6),
        (Answer(400, error(80007), {"Retry-After": "17"}), 17),
        (Answer(429, "slow down"), None),
        (
            Answer(
                400,
                error(4),
                {"X-Business-Use-Case-Usage": '{"300":[{"call_count":100,"estimated_time_to_regain_access":3}]}'},
            ),
            180,
        ),
        (Answer(400, error(4), {"X-Business-Use-Case-Usage": "[1"}), None),
        (Answer(400, error(4), {"X-Business-Use-Case-Usage": '{"300": 7}'}), None),
    ],
    ids=str,
)
async def test_too_many_waits_as_long_as_meta_says(graph, adapter, answer, seconds):
    graph.script("messages", answer)

    with pytest.raises(Retryable) as trouble:
        await adapter.send(a_part())

    assert trouble.value.retry_after == seconds


@pytest.mark.parametrize(
    "answer, kind",
    [
        (Answer(500, error(131000)), Retryable),
        (Answer(400, error(2, is_transient=True)), Retryable),
        (Answer(500, error(7777)), Retryable),
        (Answer(200, error(131026)), Refused),
        (Answer(200, error(131016)), Retryable),
        (Answer(500, "<html>"), Retryable),
        (Answer(502, "<html>"), Uncertain),
        (Answer(504, "<html>"), Uncertain),
        (Answer(403, "<html>proxy"), Retryable),
        (Answer(200, "<html>"), Uncertain),
        (Answer(200, {}), Uncertain),
        (Answer(200, {"messages": []}), Uncertain),
        (Answer(200, {"messages": [{"id": None}]}), Uncertain),
        (Answer(200, [1]), Uncertain),
        (Answer(arrives=True, how="drop"), Uncertain),
        (Answer(arrives=True, how="hang"), Uncertain),
    ],
    ids=str,
)
async def test_each_failure_says_whether_it_may_have_arrived(graph, adapter, answer, kind):
    adapter.call_seconds = patience(answer.how)
    graph.script("messages", answer)

    with pytest.raises(kind):
        await adapter.send(a_part())

    assert len(graph.called("messages")) == 1


async def test_meta_that_cannot_be_reached_took_nothing():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    adapter = WhatsAppAdapter({"phone_number_id": "301", "access_token": TOKEN, "api_url": url})

    with pytest.raises(Retryable, match="could not be reached"):
        await adapter.send(a_part())
    await adapter.close()


@pytest.mark.parametrize("token", ["", "é", "a\nb", "a b"])
async def test_a_token_that_is_none_waits_for_a_person(graph, token):
    with pytest.raises(Retryable, match="access token"):
        await WhatsAppAdapter(settings(graph, access_token=token)).send(a_part())


async def test_a_file_is_fetched_in_two_steps_with_the_token(graph, adapter):
    graph.media["9001"] = (b"\x89PNG", "image/png")

    assert await adapter.fetch("9001", 100) == b"\x89PNG"
    assert graph.calls[0].query == {"phone_number_id": "301"}


async def test_a_file_over_the_limit_is_refused_whatever_its_size_says(graph, adapter):
    graph.media["9001"] = (b"x" * 101, "image/png")
    with pytest.raises(Refused, match="larger"):
        await adapter.fetch("9001", 100)
    graph.files["9002"] = (b"x" * 101, "image/png")
    graph.script("9002", Answer(body={"url": f"{graph.url}/content/9002", "file_size": 7}))

    with pytest.raises(Refused, match="larger"):
        await adapter.fetch("9002", 100)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/x",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "https://lookaside.fbsbx.com.evil.example/",
        "[",
    ],
)
async def test_the_token_is_not_shown_to_strangers(graph, adapter, address):
    graph.script("9001", Answer(body={"url": address}))

    with pytest.raises(Refused, match="does not lie with Meta"):
        await adapter.fetch("9001", 100)


@pytest.mark.parametrize(
    "address, is_meta_s",
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("https://scontent.xx.fbcdn.net/v/1", True),
        ("http://lookaside.fbsbx.com/x", False),
        ("https://lookaside.fbsbx.com:8443/x", False),
        ("https://fbsbx.com.evil.example/x", False),
        ("https://notfbsbx.com/x", False),
        ("https://169.254.169.254/", False),
    ],
)
async def test_from_meta_itself_files_come_from_its_own_hosts_only(graph, address, is_meta_s):
    adapter = WhatsAppAdapter(settings(graph, api_url=""))
    official = adapter._open()

    try:
        official._trust(address)
    except Refused:
        assert not is_meta_s
    else:
        assert is_meta_s
    await adapter.close()


async def test_a_file_that_is_gone_is_refused(graph, adapter):
    for answer in (Answer(400, error(100, 33)), Answer(body={"url": f"{graph.url}/content/none"})):
        graph.script("9001", answer)
        with pytest.raises(Refused):
            await adapter.fetch("9001", 100)


@pytest.mark.parametrize("media_id", ["", "../me", "9001?fields=x", "9001/messages"])
async def test_what_is_no_file_is_not_asked_for(graph, adapter, media_id):
    with pytest.raises(Refused, match="no file"):
        await adapter.fetch(media_id, 100)

    assert graph.calls == []
