from django.urls import path

from channels_adapters.settings_pages import failures, inboxes, tokens, views, webhooks

urlpatterns = [
    path("failures/", failures.failures, name="failures"),
    path("failures/retry/", failures.retry_all, name="failures-retry-all"),
    path("failures/<int:pk>/retry/", failures.retry, name="failure-retry"),
    path("failures/<int:pk>/let-go/", failures.let_go, name="failure-let-go"),
    path("settings/", views.settings, name="settings"),
    path("settings/connect/<slug:channel>/", views.connect, name="connect"),
    path("settings/inboxes/<int:pk>/", inboxes.inbox, name="inbox-settings"),
    path("settings/inboxes/<int:pk>/change/", inboxes.change_settings, name="inbox-change"),
    path("settings/inboxes/<int:pk>/test/", inboxes.test, name="inbox-test"),
    path("settings/inboxes/<int:pk>/try/", inboxes.try_sending, name="inbox-try"),
    path("settings/inboxes/<int:pk>/templates/", inboxes.templates, name="inbox-templates"),
    path("settings/inboxes/<int:pk>/pause/", inboxes.pause, name="inbox-pause"),
    path("settings/inboxes/<int:pk>/resume/", inboxes.resume, name="inbox-resume"),
    path("settings/inboxes/<int:pk>/remove/", inboxes.remove, name="inbox-remove"),
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
