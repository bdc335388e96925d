from django.urls import path

from channels_adapters.adapters.webchat import pages, understood, uploads
from channels_adapters.adapters.webchat.consumers import VisitorConsumer

urlpatterns = [
    path("widget.js", pages.widget, name="webchat-widget"),
    path("demo/", pages.demo, name="webchat-demo"),
    path("chat/<slug:key>/", pages.chat, name="webchat"),
    path("chat/<slug:key>/send", pages.send, name="webchat-send"),
    path("chat/<slug:key>/messages", pages.messages, name="webchat-messages"),
    path("chat/<slug:key>/understood/", understood.understood, name="webchat-understood"),
    path("chat/<slug:key>/understood/teach/", understood.teach, name="webchat-teach"),
    path("chat/<slug:key>/files", uploads.upload, name="webchat-upload"),
    path("chat/<slug:key>/files/<slug:token>", uploads.download, name="webchat-file"),
]
websocket_urlpatterns = [path("ws/chat/<slug:key>/", VisitorConsumer.as_asgi())]
