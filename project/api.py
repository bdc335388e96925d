"""API v1, assembled: each layer brings its routers. A bearer token says who asks; sessions and cookies play no part."""

from django.http import HttpRequest, JsonResponse
from ninja import NinjaAPI

from conversations.api import acting, webhooks
from crm.api import customers, events, marketing, sales, support
from crm.api.problems import NOT_FOUND, handle_problems

api = NinjaAPI(
    title="Rapport",
    version="1",
    description="Conversations, customers and records of a workspace; its events as a feed and as webhooks.",
    urls_namespace="api-v1",
    docs_url=None,
)
handle_problems(api)
api.add_router("/conversations", acting.router)
api.add_router("/customers", customers.router)
api.add_router("/tickets", support.router)
api.add_router("/leads", sales.leads)
api.add_router("/opportunities", sales.opportunities)
api.add_router("/campaigns", marketing.router)
api.add_router("/events", events.router)
api.add_router("/webhooks", webhooks.router)


def nothing_here(request: HttpRequest, path: str = "") -> JsonResponse:
    """An address that the API does not have."""
    return JsonResponse(
        {"error": f"{NOT_FOUND} The API is described at /api/v1/openapi.json.", "details": []}, status=404
    )
