from django.core.management import call_command

from channels_adapters import connections
from conversations.models import Inbox


def test_a_restored_system_is_held_and_released(workspace, toy, capsys):
    inbox = connections.connect(workspace, "webchat", name="Shop chat", given={})

    call_command("hold")
    assert Inbox.objects.get(pk=inbox.pk).state == Inbox.State.PAUSED
    assert "Shop chat (webchat): paused, 0 to send" in capsys.readouterr().out

    call_command("hold", "--release")
    assert Inbox.objects.get(pk=inbox.pk).state == Inbox.State.LIVE
