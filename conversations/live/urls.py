from django.urls import path

from conversations.live import views
from conversations.live.consumers import AgentConsumer

urlpatterns = [path("inbox/live/", views.pull, name="live-pull")]
websocket_urlpatterns = [path("ws/live/", AgentConsumer.as_asgi())]
