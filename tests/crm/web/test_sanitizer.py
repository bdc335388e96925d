"""HTML from outside becomes the text that a reader would have seen, and nothing else."""

import pytest

from crm.web.sanitizer import plain_text


@pytest.mark.parametrize(
    "html, text",
    [
        ("<p>Hello <b>there</b> &amp; co</p>", "Hello there & co"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("a<br>b<div>c</div><div>d</div>", "a\nb\nc\nd"),
        ("<ul><li>one<li>two</ul>", "  * one\n  * two"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a  b"),
        ("<pre>  x\n y</pre>", "  x\n y"),
        ("no markup at all", "no markup at all"),
        ("", ""),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),  # text, escaped where it is shown
    ],
)
def test_the_text_is_what_is_seen(html, text):
    assert plain_text(html) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>bad</script>",
        "<style>bad</style>",
        "<!-- bad -->",
        "<title>bad</title>",
        "<template>bad</template>",
        "<iframe src=x>bad</iframe>",
        "<svg><text>bad</text></svg>",
        '<div style="display: none">bad</div>',
        '<div style="DISPLAY:NONE !important">bad</div>',
        '<span style="font-size:0px">bad</span>',
        '<span style="visibility:hidden">bad</span>',
        "<p hidden>bad</p>",
        '<img src="https://track.example/p.gif" alt="bad">',
    ],
)
def test_what_is_not_seen_is_not_in_the_text(hidden):
    assert plain_text(f"<html><body>good {hidden}</body></html>") == "good"


def test_what_follows_something_hidden_stays():
    assert plain_text("a<script>x</script> b<!-- y --> c") == "a b c"


def test_letters_that_only_fill_are_gone():
    assert plain_text("Hi\u200c \u00a0\u200c \u00a0\u200c \u00a0 there") == "Hi there"


def test_letters_that_join_others_stay():
    assert plain_text("می\u200cخواهم 👩\u200d💻") == "می\u200cخواهم 👩\u200d💻"


@pytest.mark.parametrize("html", ["<div>" * 5_000 + "hello", "<table>" + "<tr><td>hello" * 20_000])
def test_what_is_too_deep_or_too_much_is_read_roughly(html):
    assert "hello" in plain_text(html)
