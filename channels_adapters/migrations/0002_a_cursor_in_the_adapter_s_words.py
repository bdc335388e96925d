from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Cast


def carry_over(apps, schema_editor):
    connections = apps.get_model("channels_adapters", "Connection")._base_manager.exclude(poll_offset=0)
    connections.update(poll_cursor=Cast(F("poll_offset"), models.TextField()))


class Migration(migrations.Migration):
    dependencies = [("channels_adapters", "0001_the_tables")]

    operations = [
        migrations.AddField("connection", "poll_cursor", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveField("connection", "poll_offset"),
    ]
