"""What pages show of a message's details: each key, and what does not fit."""

import pytest

from conversations import shown, timeline
from conversations.models import File, Message, Revision
from tests.factories import make_inbox, make_message


@pytest.fixture
def page(client, member, workspace):
    """The page of a message with these details and files."""
    client.force_login(member.agent)

    def show(text="Hello", files=(), **details):
        message = make_message(make_inbox(workspace), text, details=details)
        for facts in files:
            File.objects.create(workspace=workspace, message=message, state="ready", **facts)
        return client.get(f"/inbox/{message.conversation_id}/").content.decode()

    return show


def test_a_subject_and_the_folded_quote_are_shown(page):
    html = page(subject="Lamp <b>broken</b>", folded="> On Monday you wrote")

    assert "Lamp &lt;b&gt;broken&lt;/b&gt;" in html
    assert "Show quoted text" in html
    assert "&gt; On Monday you wrote" in html


def test_what_the_receiving_server_found_is_shown_and_a_failure_stands_out(page):
    html = page(checks={"spf": "pass", "dkim": "fail", "arc": "pass"})

    assert "<span>SPF pass</span>" in html
    assert "<span data-doubt>DKIM fail</span>" in html
    assert "ARC" not in html


def test_an_invitation_is_a_card(page):
    invite = {"title": "Viewing", "starts": "2026-11-23T10:00:00+01:00", "ends": "2026-11-23T11:00:00+01:00"}
    html = page(invite={**invite, "place": "Malmö", "method": "cancel"})

    assert "Viewing" in html
    assert "data-cancelled" in html
    assert "2026-11-23T09:00:00+00:00" in html
    assert "Malmö" in html


@pytest.mark.parametrize("starts", ["", "soon", "2026-13-40", "2026-11-23T99:00", None, 7, ["x"]])
def test_an_invitation_whose_time_cannot_be_read_is_shown_without_it(page, starts):
    assert "Viewing" in page(invite={"title": "Viewing", "starts": starts})


def test_a_whole_day_has_no_time():
    invite = shown.of(Message(details={"invite": {"title": "Fair", "starts": "2026-11-23"}})).invite

    assert (invite.is_day, invite.starts.day) == (True, 23)


def test_flags_and_a_referral_are_shown(page):
    html = page(flags=["forwarded", "auto_reply"], referral={"headline": "Spring sale", "url": "https://ads.example"})

    assert "forwarded" in html
    assert "automatic reply" in html
    assert 'href="https://ads.example"' in html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://", "http://[x"])
def test_an_address_that_is_no_web_address_is_no_link(page, url):
    html = page(referral={"headline": "Spring sale", "url": url}, permalink=url)

    assert "Spring sale" in html
    assert f'href="{url}"' not in html
    assert "open there" not in html


@pytest.mark.parametrize("value", [None, 7, "x", [], [1], {"x": 1}, True])
def test_details_of_another_shape_are_left_out(value):
    keys = ("subject", "folded", "checks", "invite", "referral", "flags", "buttons", "template", "permalink")

    for key in keys:
        found = shown.of(Message(details={key: value}))
        assert found.buttons == []
        assert found.permalink == ""


def test_an_inline_picture_stands_where_the_text_names_it(page, workspace):
    picture = {"mime": "image/png", "kind": "image", "details": {"cid": "logo@x", "inline": True}, "token": "tok-in"}
    html = page("Look:\n[cid:logo@x]\nnice?", files=[picture])

    assert html.index("Look:") < html.index("tok-in") < html.index(">nice?<")
    assert html.count('src="/files/tok-in/"') == 1
    assert '<p class="message__text" dir="auto">Look:</p>' in html


def test_a_picture_that_is_not_there_yet_leaves_its_name_in_the_text(page):
    assert "[cid:logo@x]" in page("Look: [cid:logo@x]")


def test_a_picture_the_text_does_not_name_stands_below(page):
    picture = {"mime": "image/png", "kind": "image", "details": {"cid": "other@x"}, "token": "tok-below"}

    assert 'src="/files/tok-below/"' in page("Look", files=[picture])


def test_sounds_and_films_play_on_the_page_and_other_files_do_not(page):
    files = [
        {"mime": "audio/ogg", "kind": "voice", "token": "tok-a"},
        {"mime": "video/mp4", "kind": "video", "token": "tok-v"},
        {"mime": "text/html", "kind": "file", "token": "tok-h"},
    ]
    html = page(files=files)

    assert '<audio controls preload="none" src="/files/tok-a/"' in html
    assert '<video controls preload="metadata" src="/files/tok-v/"' in html
    assert 'src="/files/tok-h/"' not in html


def test_what_a_message_said_before_can_be_looked_at(workspace, client, member):
    client.force_login(member.agent)
    message = make_message(make_inbox(workspace), "Second")
    Revision.objects.create(workspace=workspace, message=message, text="First words")
    Message.objects.filter(pk=message.pk).update(edited_at=message.at)

    page = client.get(f"/inbox/{message.conversation_id}/").content.decode()

    assert "What it said before" in page
    assert "First words" in page


def test_a_nul_in_the_details_does_not_lose_the_message(workspace):
    message = make_message(make_inbox(workspace), details={"subject": "a\x00b\ud800", "n": float("nan")})

    message.refresh_from_db()
    assert message.details["subject"] == "ab"
    assert timeline.message_for_page(message.pk)
