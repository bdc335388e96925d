"""docs/channels.md, written from the capabilities."""

from io import StringIO

from django.conf import settings
from django.core.management import call_command

from channels_adapters.abilities import comes_in, goes_out, size
from channels_adapters.contract import Capabilities
from channels_adapters.registry import channels
from tests.channels_adapters.toy import ToyAdapter


def printed():
    out = StringIO()
    call_command("channels", stdout=out)
    return out.getvalue()


def test_the_page_is_what_the_adapters_declare_today():
    page = (settings.BASE_DIR / "docs/channels.md").read_text()

    assert page == printed(), "docs/channels.md is old: run `manage.py channels --write`"


def test_every_channel_has_its_row_and_its_settings():
    page = printed()

    for adapter in channels().values():
        assert f"### {adapter.label}" in page
        assert all(f"| `{setting.key}` |" in page for setting in adapter.settings_form)


def test_what_a_channel_cannot_is_said_as_such(monkeypatch):
    nothing = {ability.what: ability.value for ability in goes_out(ToyAdapter)}

    assert (nothing["edits"], nothing["files"], nothing["buttons"]) == ("", "", "")
    assert nothing["window after their last message"] == "none"
    assert comes_in(ToyAdapter) == []


def test_what_a_channel_can_is_said_in_words(monkeypatch):
    able = Capabilities(
        text_limit=4096,
        takes_in=("voice", "text"),
        files=True,
        file_limit=20 * 1024 * 1024,
        media=("image/*",),
        buttons=3,
        button_limit=20,
        window_hours=24,
        tag_hours=168,
        reactions=True,
        emojis=("👍", "❤"),
        per_second=30,
        per_thread_second=1 / 6,
    )
    monkeypatch.setattr(ToyAdapter, "capabilities", able)

    said = {ability.what: ability.value for ability in goes_out(ToyAdapter)}

    assert comes_in(ToyAdapter) == ["text", "voice"]
    assert said["files"] == "image/*, to 20 MiB"
    assert said["buttons"] == "to 3, of 20 characters"
    assert said["window after their last message"] == "24 h, an agent 168 h"
    assert said["reactions"] == "2 of them"
    assert said["parts a second"] == "30, 0.17 a thread"


def test_sizes_are_said_in_the_unit_that_fits():
    assert [size(count) for count in (500, 2048, 5 * 1024**2, 2 * 1024**3)] == ["500 bytes", "2 KiB", "5 MiB", "2 GiB"]
