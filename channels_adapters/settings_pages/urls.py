from django.urls import path

from channels_adapters.settings_pages import tokens, views

urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("settings/connect/<slug:channel>/", views.connect, name="connect"),
    path("settings/inboxes/<int:pk>/", views.inbox, name="inbox-settings"),
    path("settings/inboxes/<int:pk>/test/", views.test, name="inbox-test"),
    path("settings/inboxes/<int:pk>/pause/", views.pause, name="inbox-pause"),
    path("settings/inboxes/<int:pk>/resume/", views.resume, name="inbox-resume"),
    path("settings/parked/<int:pk>/", views.parked, name="parked-delivery"),
    path("settings/parked/<int:pk>/retry/", views.retry, name="parked-retry"),
    path("settings/tokens/", tokens.tokens, name="api-tokens"),
    path("settings/tokens/<int:pk>/revoke/", tokens.revoke, name="api-token-revoke"),
]
