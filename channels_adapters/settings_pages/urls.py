from django.urls import path

from channels_adapters.settings_pages import tokens, views, webhooks

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
    path("settings/webhooks/", webhooks.webhooks, name="webhooks"),
    path("settings/webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path("settings/webhooks/<int:pk>/secret/", webhooks.new_secret, name="webhook-secret"),
    path("settings/webhooks/<int:pk>/pause/", webhooks.pause, name="webhook-pause"),
    path("settings/webhooks/<int:pk>/resume/", webhooks.resume, name="webhook-resume"),
    path("settings/webhooks/<int:pk>/test/", webhooks.ping, name="webhook-test"),
    path("settings/webhooks/<int:pk>/remove/", webhooks.remove, name="webhook-remove"),
    path("settings/webhooks/deliveries/<int:pk>/replay/", webhooks.replay, name="webhook-replay"),
]
