"""The hub's pages."""

from django.urls import URLPattern, URLResolver, include, path

from conversations.inbox.files import show_file

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("conversations.live.urls")),
    path("inbox/", include("conversations.inbox.urls")),
    path("files/<str:token>/", show_file, name="file"),
]
