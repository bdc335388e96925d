"""What agents do with a campaign response."""

from crm import records
from crm.marketing.models import CampaignResponse
from crm.workspace import clock
from crm.workspace.events import change
from crm.workspace.models import Membership


def close(response: CampaignResponse, *, by: Membership) -> None:
    """The response needs nothing more; one that is closed is left alone."""
    with change(by.workspace, actor=by, cause="page") as event:
        records.close(event, _lock(response), CampaignResponse.Status.CLOSED, clock.now())


def reopen(response: CampaignResponse, *, by: Membership) -> None:
    """The response is open again."""
    with change(by.workspace, actor=by, cause="page") as event:
        records.reopen(event, _lock(response), clock.now())


def _lock(response: CampaignResponse) -> CampaignResponse:
    rows = CampaignResponse.objects.select_for_update(of=("self",), no_key=True).select_related("customer")
    found: CampaignResponse = rows.get(pk=response.pk)
    return found
