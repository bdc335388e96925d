"""Personas walk through the product in a real browser, against a real server and a fake Telegram."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.installation import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]


def a_name(stem: str) -> str:
    """A name of this test's own: journeys share one installation."""
    return f"{stem} {uuid.uuid4().hex[:6]}"


def row(page: Page, name: str):
    return page.locator(".conversation", has_text=name)


@pytest.fixture
def chat_key(place):
    """The web chat of the shared installation, connected once."""
    known = place.rows("SELECT key FROM conversations_inbox WHERE channel = 'webchat'")
    if known:
        return known[0][0]
    place.manage("connect", "webchat", "--name", "Web chat")
    return place.rows("SELECT key FROM conversations_inbox WHERE channel = 'webchat'")[0][0]


def write_as_visitor(page: Page, text: str) -> None:
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send").click()


def reply_as_agent(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Reply").fill(text)
    page.get_by_role("button", name=re.compile("^Send to")).click()


def test_a_visitor_writes_and_reads_the_answer(place, visit, agent, chat_key):
    name = a_name("Tunde")
    desk = agent()
    visitor = visit(viewport={"width": 390, "height": 844})
    visitor.goto(f"{place.base}/chat/{chat_key}/")

    visitor.get_by_label("Your name, if you like").fill(name)
    write_as_visitor(visitor, "My lamp arrived broken, order 88213. I want my money back.")

    expect(row(desk, name)).to_contain_text("Support")  # without a reload, already sorted
    row(desk, name).click()
    expect(desk.locator(".message--in")).to_contain_text("arrived broken")
    expect(desk.locator(".route")).to_contain_text("Support")
    expect(desk.locator("#panel")).to_contain_text("unverified")
    expect(desk.locator("#panel")).to_contain_text("Ticket")
    reply_as_agent(desk, "I am sorry! A refund is on its way.")
    expect(visitor.get_by_role("log")).to_contain_text("A refund is on its way.")
    expect(desk.locator(".message--out .ticks[data-status=read]")).to_be_visible()

    visitor.reload()
    expect(visitor.get_by_role("log")).to_contain_text("My lamp arrived broken")
    expect(visitor.get_by_role("log")).to_contain_text("A refund is on its way.")


def test_a_visitor_sends_a_picture_and_the_agent_sends_one_back(place, visit, agent, chat_key, tmp_path):
    picture = tmp_path / "box.png"
    picture.write_bytes(A_PNG)
    name = a_name("Grace")
    desk, visitor = agent(), visit()
    visitor.goto(f"{place.base}/chat/{chat_key}/")
    visitor.get_by_label("Your name, if you like").fill(name)
    visitor.locator("input[type=file]").set_input_files(picture)
    expect(visitor.locator(".composer__files")).to_contain_text("box.png")
    write_as_visitor(visitor, "This is the box")

    row(desk, name).click()
    expect(desk.locator(".message--in").get_by_role("img", name="box.png")).to_be_visible()
    desk.locator("input[type=file]").set_input_files(picture)
    expect(desk.locator("#chips")).to_contain_text("box.png")
    reply_as_agent(desk, "This is ours")

    expect(visitor.get_by_role("log").get_by_text("This is ours")).to_be_visible()
    expect(visitor.locator("article[data-from=us] a[href*='/files/']")).to_have_count(1)


def test_each_sees_the_other_type(place, visit, agent, chat_key):
    name = a_name("Priya")
    desk, visitor = agent(), visit()
    visitor.goto(f"{place.base}/chat/{chat_key}/")
    visitor.get_by_label("Your name, if you like").fill(name)
    write_as_visitor(visitor, "Hello, is the Alba lamp in stock?")
    row(desk, name).click()
    expect(desk.locator(".message--in")).to_be_visible()

    visitor.get_by_label("Message", exact=True).press_sequentially("and the blue one, please", delay=200)
    expect(desk.locator(".thread").get_by_text("typing…")).to_be_visible()
    desk.get_by_role("textbox", name="Reply").press_sequentially("One moment, I will look", delay=200)
    expect(visitor.get_by_text("is writing")).to_be_visible()


def test_telegram_to_the_agent_and_back(place, agent, writes):
    name = a_name("Lucia")
    desk = agent()

    writes("How much are 40 lamps, and can we get a quote?", chat=52001, name=name)

    expect(row(desk, name)).to_contain_text("Sales")
    row(desk, name).click()
    reply_as_agent(desk, "Gladly: 40 lamps are 3,800 euro.")
    expect(desk.locator(".message--out .ticks[data-status=sent]")).to_be_visible()
    wait_until(lambda: "Gladly: 40 lamps are 3,800 euro." in place.sent_texts(), 10, "the reply")


def test_a_second_agent_sees_the_same_and_a_note_stays_inside(place, agent, writes):
    name = a_name("Jonas")
    first, second = agent(), agent(color_scheme="dark")
    writes("The app logs me out all the time", chat=52002, name=name)
    row(first, name).click()
    row(second, name).click()

    first.get_by_role("button", name="Note", exact=True).or_(first.get_by_text("Note", exact=True)).first.click()
    first.get_by_label("Note", exact=True).last.fill("third time this week")
    first.get_by_role("button", name=re.compile("note", re.I)).last.click()

    expect(second.locator(".message--note, .note").first).to_contain_text("third time this week")
    assert "third time this week" not in place.sent_texts()
    second.get_by_role("button", name="Resolve").click()
    expect(first.get_by_role("button", name="Reopen")).to_be_visible()
    expect(row(first, name)).to_have_count(0)


def test_a_correction_in_one_step_moves_the_matter(place, agent, writes):
    name = a_name("Carl")
    desk = agent()
    writes("Do you have the Alba in green, and what does it cost?", chat=52003, name=name)
    row(desk, name).click()

    desk.locator(".route summary").first.click()
    form = desk.locator(".correction").first
    form.get_by_role("checkbox", name="Sales").uncheck()
    form.get_by_role("checkbox", name="Marketing").check()
    form.get_by_role("button", name=re.compile("Correct it|Decide")).click()

    expect(row(desk, name)).to_contain_text("Marketing")
    expect(desk.locator("#panel")).to_contain_text("opened by mistake")
    kept = place.rows("SELECT count(*) FROM conversations_correction")
    assert kept[0][0] >= 1


def test_a_lost_connection_heals_without_a_reload(place, agent, writes):
    name = a_name("Elske")
    desk = agent()
    writes("My first message", chat=52004, name=name)
    row(desk, name).click()
    expect(desk.locator(".message--in")).to_have_count(1)

    place.kill()
    expect(desk.get_by_text("Reconnecting…")).to_be_visible()
    place.start()
    writes("My second message", chat=52004, name=name)

    expect(desk.locator(".message--in")).to_have_count(2)
    expect(desk.get_by_text("Reconnecting…")).to_be_hidden()


def test_a_reload_shows_the_same(place, agent, writes):
    name = a_name("Ines")
    desk = agent()
    writes("Where is my parcel?", chat=52005, name=name)
    row(desk, name).click()
    reply_as_agent(desk, "Let me look.")
    expect(desk.locator(".message--out .ticks[data-status=sent]")).to_be_visible()
    before = desk.locator("[role=log]").inner_text()

    desk.reload()

    expect(desk.locator(".message--out")).to_have_count(1)
    assert desk.locator("[role=log]").inner_text() == before


def test_the_keyboard_alone_is_enough(place, agent, writes):
    name = a_name("Keya")
    writes("Can somebody help me with my invoice?", chat=52006, name=name)
    desk = agent()
    expect(row(desk, name)).to_be_visible()

    desk.keyboard.press("?")
    expect(desk.locator("#keys")).to_be_visible()
    desk.keyboard.press("Escape")
    for _ in range(30):
        desk.keyboard.press("j")
        if name in desk.evaluate("document.activeElement.innerText"):
            break
    desk.keyboard.press("Enter")
    expect(desk.locator(".message--in")).to_contain_text("invoice")
    desk.keyboard.press("r")
    desk.keyboard.type("Of course: which one?")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator(".message--out")).to_contain_text("Of course: which one?")
    desk.keyboard.press("Escape")
    desk.keyboard.press("e")
    expect(desk.get_by_role("button", name="Reopen")).to_be_visible()


def test_the_pulse_moves_when_an_unhappy_message_comes_in(place, agent, writes):
    name = a_name("Priscilla")
    pulse = agent()
    pulse.goto(f"{place.base}/pulse/")
    expect(pulse.get_by_role("heading", name="Pulse")).to_be_visible()
    figure = pulse.locator(".counted__figure", has_text="message")
    before = int(re.match(r"\d+", figure.inner_text())[0])

    writes("This is a disgrace. Terrible service, I am furious and want my money back!", chat=52007, name=name)

    expect(pulse.locator(".voice__name", has_text=name)).to_be_visible()
    expect(figure).to_contain_text(str(before + 1))


def test_a_phone_shows_one_pane_at_a_time(place, agent, writes):
    name = a_name("Anjali")
    writes("Is the Alba available in green?", chat=52008, name=name)
    desk = agent(viewport={"width": 390, "height": 844})

    row(desk, name).click()
    expect(desk.locator(".message--in")).to_be_visible()
    expect(row(desk, name)).to_be_hidden()
    desk.get_by_label("Back to the list").click()

    expect(row(desk, name)).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth") <= 390


def test_markup_in_a_name_and_a_message_is_only_text(place, agent, writes):
    desk = agent()
    payload = f"<img src=x onerror=alert(1)>{uuid.uuid4().hex[:6]}"

    writes(f"<script>alert(1)</script> {payload}", chat=52009, name=payload)

    expect(row(desk, payload)).to_be_visible()
    row(desk, payload).click()
    expect(desk.locator(".message--in")).to_contain_text("<script>alert(1)</script>")
    assert desk.locator(".message--in script, .conversation img").count() == 0


def test_what_could_not_be_read_is_shown_to_an_admin(place, agent):
    import httpx

    from tests.installation import SECRET

    body = {"update_id": 990001, "message": {"message_id": 5, "chat": "not a chat", "from": 7, "date": "never"}}
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    answer = httpx.post(f"{place.base}/hooks/{place.key}/", json=body, headers=headers, timeout=20)
    assert answer.status_code == 200
    parked = "SELECT count(*) FROM channels_adapters_rawdelivery WHERE state = 'parked'"
    wait_until(lambda: place.rows(parked)[0][0] > 0, 10, "parking")

    desk = agent()
    desk.goto(f"{place.base}/settings/")
    desk.locator("#parked a").first.click()

    expect(desk.locator("pre")).to_contain_text("not a chat")


A_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fccfc0500f000485018037"
    "b9b4c30000000049454e44ae426082"
)
