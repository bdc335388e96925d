"""What agents say teaches triage: corrected, listed, labelled, trained, put to use and rolled back, in a browser."""

import re
import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.installation import wait_until

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("journeys")]
TRAINED_WITHIN = 420_000  # milliseconds, on a machine that is busy
COLOURS = "red blue green white black pink grey gold".split()


def open_why(desk: Page) -> None:
    desk.locator(".route summary").first.click()
    expect(desk.locator(".correction").first).to_be_visible()


def open_triage(place, desk: Page, tab: str) -> None:
    desk.goto(f"{place.base}/settings/learning/")
    desk.get_by_role("navigation", name="Triage").get_by_role("link", name=tab, exact=True).click()


def test_a_correction_teaches_a_model_that_is_used_and_rolled_back(place, agent, writes):
    name = f"Vera {uuid.uuid4().hex[:6]}"
    desk = agent()
    for number, colour in enumerate(COLOURS):
        writes(f"{colour} slot please", chat=61000 + number, name=f"{name} {number}")
    writes("it is about the thing from before, you know", chat=61100, name=name)

    # corrected in the thread ...
    for number in range(len(COLOURS)):
        desk.goto(f"{place.base}/inbox/?view=all&q={name} {number}")
        desk.locator(".conversation", has_text=f"{name} {number}").click()
        open_why(desk)
        form = desk.locator(".correction").first
        for box in form.get_by_role("checkbox").all():
            box.uncheck()
        form.get_by_role("checkbox", name="Marketing").check()
        form.get_by_label("Intent").select_option("event")
        form.get_by_role("button", name=re.compile("Correct it|Decide")).click()
        expect(desk.locator(".thread").get_by_text("Corrected by")).to_be_visible()

    # ... it is in the list, with the way back to the thread
    open_triage(place, desk, "Corrections")
    listed = desk.locator(".correction-row", has_text="gold slot please")
    expect(listed.locator(".said").last).to_contain_text("Marketing")
    expect(listed).to_contain_text("event")

    # ... one is labelled with keys alone
    open_triage(place, desk, "Label")
    expect(desk.locator(".label__text")).to_be_visible()
    first = desk.locator(".label__form").get_attribute("action")
    desk.keyboard.press("0")
    desk.keyboard.press("y")
    expect(desk.locator(f".label__form[action='{first}']")).to_have_count(0)

    # ... nothing teaches before the workspace allows it
    open_triage(place, desk, "Models")
    desk.get_by_role("button", name="Train now").click()
    expect(desk.get_by_role("alert")).to_contain_text("allow messages to teach")
    desk.goto(f"{place.base}/settings/learning/")
    desk.get_by_role("button", name="Allow messages to teach").click()
    expect(desk.get_by_text("Yes, since")).to_be_visible()

    # ... trained beside the running pages, and better
    open_triage(place, desk, "Models")
    desk.get_by_role("button", name="Train now").click()
    expect(desk.locator(".model[data-state=done]")).to_have_count(1, timeout=TRAINED_WITHIN)
    expect(desk.locator(".model")).to_contain_text("put to use")
    expect(desk.get_by_role("heading", name=re.compile(r"In use: \d"))).to_be_visible()

    # ... the running process reads with it at once
    writes("silver slot please", chat=61200, name=f"{name} new")
    version = place.rows("SELECT version FROM conversations_training")[0][0]
    wait_until(lambda: read_by(place, "silver slot please") == ("marketing", version), 20, "reading by the new model")

    # ... and with the shipped one after the roll back
    desk.get_by_role("button", name="Roll back").click()
    expect(desk.get_by_role("heading", name="In use: the shipped model")).to_be_visible()
    writes("silver slots please", chat=61201, name=f"{name} newer")
    wait_until(lambda: read_by(place, "silver slots please"), 20, "reading")
    assert read_by(place, "silver slots please")[1] != version


def read_by(place, text: str):
    found = place.rows(
        "SELECT t.function, t.model_version FROM conversations_triage t "
        f"JOIN conversations_message m ON m.id = t.message_id WHERE m.text = '{text}'"
    )
    return found[0] if found else None


def test_the_threshold_is_tried_and_set_on_the_curve(place, agent, writes):
    desk = agent(viewport={"width": 390, "height": 844})
    open_triage(place, desk, "Threshold")
    expect(desk.get_by_role("heading", name="At 0.60")).to_be_visible()

    slider = desk.get_by_role("slider", name="Threshold")
    slider.focus()
    for _step in range(5):
        slider.press("ArrowRight")
    expect(desk.get_by_role("heading", name="At 0.65")).to_contain_text("set now: 0.60")  # tried, and not set
    assert place.rows("SELECT triage_threshold FROM crm_workspace")[0][0] == 0.6
    desk.get_by_role("button", name="Set this threshold").click()

    expect(desk.get_by_role("heading", name="At 0.65")).to_contain_text("as it is set")
    assert place.rows("SELECT triage_threshold FROM crm_workspace")[0][0] == 0.65
    desk.get_by_text("The curve as a table").click()
    expect(desk.get_by_role("rowheader", name="0.60")).to_be_visible()
