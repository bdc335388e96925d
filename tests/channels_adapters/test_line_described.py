"""What we send to LINE against LINE's own description of its API, with Prism as the judge."""

import pytest

from channels_adapters.adapters.line import LineAdapter
from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart
from crm.workspace import clock
from tests.channels_adapters.prism import DESCRIPTIONS, missing, prism
from tests.conftest import left_out

pytestmark = pytest.mark.xdist_group("prism line")
DESCRIPTION = DESCRIPTIONS / "line-messaging-api.yml"
USER = "U" + "a" * 32
FILE = OutboundFile("a.png", "image/png", b"x", "https://desk.example/public-files/p/a.png")
BUTTONS = (Button("Yes", "y"), Button("Shop", url="https://shop.example/"))


@pytest.fixture(scope="module")
def described():
    if why := missing(DESCRIPTION):
        left_out("what leaves by LINE against its description", why)
        pytest.skip(why)
    with prism(DESCRIPTION) as url:
        yield url


@pytest.fixture
async def adapter(described):
    made = LineAdapter({"channel_secret": "s", "channel_access_token": "t", "api_url": described})
    yield made
    await made.close()


def a_part(**fields):
    return OutboundPart(1, USER, "Hello 👍", wanted_at=clock.now(), **fields)


@pytest.mark.parametrize("within_the_minute", [True, False])
async def test_what_leaves_is_as_described(adapter, within_the_minute):
    said_at = str(int(clock.now().timestamp() * 1000))
    answers = {"reply_token": "r", "said_at": said_at} if within_the_minute else {}

    receipt = await adapter.send(a_part(file=FILE, buttons=BUTTONS, answers=answers))

    assert receipt.external_id


async def test_what_we_do_besides_is_as_described(adapter):
    await adapter.typing(USER)
    await adapter.act(OutboundAct(1, "read", USER, "1", answers={"read_token": "r"}))
    await adapter.profile(USER)

    found = await adapter.check("https://desk.example/hooks/1/")
    assert not found.problems or "Use webhook" in found.problems[0]  # as the example has it


async def test_the_judge_refuses_what_is_not_described(adapter):
    platform, headers = adapter._open(), adapter._headers()
    url = "https://api.line.me/v2/bot/message/push"

    without = await platform.call("POST", url, headers=headers, json={"to": USER})
    unsigned = await platform.call("POST", url, json={"to": USER, "messages": [{"type": "text", "text": "x"}]})

    assert (without.status, unsigned.status) == (400, 401)
