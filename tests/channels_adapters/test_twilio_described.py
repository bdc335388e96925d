"""What we send to Twilio, SMS and WhatsApp, against Twilio's own description of its API, with Prism as the judge.

Files are the emulator's: Prism reads no lists in a form.
"""

import pytest

from channels_adapters.adapters.twilio import TwilioAdapter
from channels_adapters.contract import OutboundPart
from crm.workspace import clock
from tests.channels_adapters.prism import DESCRIPTIONS, missing, prism
from tests.conftest import left_out

pytestmark = pytest.mark.xdist_group("prism twilio")
DESCRIPTION = DESCRIPTIONS / "twilio-messages.json"
SID = "AC" + "0" * 32


@pytest.fixture(scope="module")
def described():
    if why := missing(DESCRIPTION):
        left_out("what leaves by Twilio against its description", why)
        pytest.skip(why)
    with prism(DESCRIPTION) as url:
        yield url


@pytest.fixture
async def adapter(described):
    made = TwilioAdapter(
        {
            "account_sid": SID,
            "auth_token": "t",
            "sms_number": "+46709999999",
            "whatsapp_number": "+46708888888",
            "hook_url": "https://desk.example/hooks/1/",
            "api_url": described,
        }
    )
    yield made
    await made.close()


@pytest.mark.parametrize("thread_id", ["+46701234567", "whatsapp:+46701234567"])
async def test_a_message_is_as_described(adapter, thread_id):
    receipt = await adapter.send(OutboundPart(1, thread_id, "Hej å 👍", wanted_at=clock.now()))

    assert receipt.external_id.startswith("SM")  # the description's example


async def test_a_template_is_as_described(adapter):
    url = adapter._account().address("Messages.json")
    values = [("ContentSid", "HX" + "a" * 32), ("ContentVariables", '{"1": "Anna"}')]
    form = [("To", "whatsapp:+46701234567"), ("From", "whatsapp:+46708888888"), *values]

    assert (await adapter._open().call("POST", url, headers=adapter._account().headers, form=form)).status == 201


async def test_the_judge_refuses_what_is_not_described(adapter):
    url = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages.json"

    answer = await adapter._open().call("POST", url, headers=adapter._account().headers, form=[("Body", "x")])
    unsigned = await adapter._open().call("POST", url, form=[("To", "+46701234567")])

    assert (answer.status, unsigned.status) == (422, 401)
