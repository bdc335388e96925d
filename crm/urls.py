"""The pages of people and records."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("customers/", include("crm.people.urls")),
    path("support/", include("crm.support.urls")),
    path("sales/", include("crm.sales.urls")),
    path("marketing/", include("crm.marketing.urls")),
]
