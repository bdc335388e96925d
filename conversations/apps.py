from django.apps import AppConfig


class ConversationsConfig(AppConfig):
    name = "conversations"
    verbose_name = "The hub"

    def ready(self) -> None:
        from conversations.live import layer  # models exist only now
        from crm.workspace import hints

        hints.listen(layer.post_hint)
