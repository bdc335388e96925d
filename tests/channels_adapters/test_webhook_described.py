"""The generic channel against its own published description, with Prism as the judge of both ways."""

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from channels_adapters.adapters.webhook import WebhookAdapter
from channels_adapters.contract import Button, OutboundAct, OutboundFile, OutboundPart
from crm.workspace import clock
from tests.channels_adapters.contract.samples import samples
from tests.channels_adapters.prism import missing, prism
from tests.conftest import left_out

pytestmark = pytest.mark.xdist_group("prism webhook")
DESCRIPTION = Path(__file__).resolve().parents[2] / "docs" / "webhook-channel.yml"
SIGNED = {"content-type": "application/json", "x-crm-timestamp": "1787220000", "x-crm-signature": f"sha256={'0' * 64}"}
MORE_THAN_DESCRIBED = ("no_type", "status_unknown", "numbers_as_ids", "null_fields", "strange_times")  # yet taken


@pytest.fixture(scope="module")
def described():
    if why := missing(DESCRIPTION):
        left_out("the webhook channel against its description", why)
        pytest.skip(why)
    with prism(DESCRIPTION) as url:
        yield url


@pytest.fixture
async def adapter(described):
    made = WebhookAdapter({"secret": "s", "callback_url": "https://erp.example/callback", "api_url": described})
    yield made
    await made.close()


async def test_what_leaves_is_as_described(adapter):
    file = OutboundFile("bill.pdf", "application/pdf", b"%PDF", "https://desk.example/public-files/x/bill.pdf")
    part = OutboundPart(1, "c-9", "Hello", file, "ext-1", clock.now(), "k1", buttons=(Button("Yes", "y"),))

    receipt = await adapter.send(part)
    for kind, text in (("edit", "New"), ("delete", ""), ("react", "👍"), ("react", ""), ("read", "")):
        await adapter.act(OutboundAct(2, kind, "c-9", "out-7", text))
    await adapter.typing("c-9")

    assert receipt.external_id == "out-7"  # the example of the description
    assert (await adapter.check("https://desk.example/hooks/1/")).problems == ()


async def test_the_judge_refuses_what_is_not_described(described):
    assert await asyncio.to_thread(status_of, f"{described}/callback", b'{"event": "message.created"}') == 422


@pytest.mark.parametrize(
    "sample", [sample for sample in samples() if sample.channel == "webhook"], ids=lambda sample: sample.name
)
async def test_the_samples_are_as_described(described, sample):
    try:
        said = json.loads(sample.body)
    except ValueError:
        return  # its first line is a header
    status = await asyncio.to_thread(status_of, f"{described}/hooks/key/", json.dumps(said).encode())

    assert status == (400 if sample.name in MORE_THAN_DESCRIBED else 202)


def status_of(url, body):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, SIGNED), timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code
