"""How soon a person can use the inbox page."""

import time
from typing import Any

from tests.conftest import chromium
from tests.installation import EMAIL, PASSWORD, Installation


def measure(place: Installation) -> dict[str, Any]:
    """Seconds from opening the inbox, with nothing cached, to a row that can be clicked; None without a browser."""
    from playwright.sync_api import sync_playwright

    if chromium() is None:
        return {"usable_s": None}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{place.base}/sign-in/")
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/inbox/**")
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        started = time.monotonic()
        page.goto(f"{place.base}/inbox/?view=all", wait_until="commit")
        page.locator(".conversation").first.wait_for()
        took = time.monotonic() - started
        browser.close()
    return {"usable_s": round(took, 2)}
