"""A real installation and a real browser for the journeys.

Both end with the module: the browser's driver keeps an event loop, which no test with its own could share.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import chromium
from tests.installation import EMAIL, PASSWORD, Installation

expect.set_options(timeout=15_000)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    with Installation() as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield made
        made.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody new; at the end no page may have had an error."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def new_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        return page

    yield new_page
    for context in opened:
        context.close()
    assert errors == []


@pytest.fixture
def agent(place: Installation, visit: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the inbox as the signed-in agent."""

    def signed_in(**options: Any) -> Page:
        page = visit(**options)
        page.goto(f"{place.base}/sign-in/")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/inbox/**")
        page.goto(f"{place.base}/inbox/?view=all")
        return page

    return signed_in


@pytest.fixture
def writes(place: Installation) -> Callable[..., None]:
    """A customer writes on the fake Telegram, which delivers it to our hook as Telegram does."""

    def say(text: str, *, chat: int, name: str) -> None:
        customer = {"id": chat, "is_bot": False, "first_name": name, "language_code": "en"}
        answer = httpx.post(f"{place.platform}/_fake/say", json={"text": text, "customer": customer}, timeout=20)
        answer.raise_for_status()

    return say
