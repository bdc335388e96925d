"""Where each part of the product is found. A part brings its own addresses."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from project.api import api, nothing_here
from project.views import SignIn

handler500 = "project.views.failed"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="inbox"), name="home"),
    path("api/v1/", api.urls),
    path("api/<path:path>", nothing_here),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("", include("conversations.urls")),
    path("", include("conversations.profile.urls")),
    path("", include("conversations.pulse.urls")),
    path("", include("conversations.learning.urls")),
    path("", include("crm.urls")),
    path("", include("channels_adapters.settings_pages.urls")),
    path("", include("channels_adapters.public_files")),
    path("", include("channels_adapters.adapters.webchat.urls")),
]
