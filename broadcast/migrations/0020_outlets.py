"""What the receiving end of loudspeakers needs: whose delivery a clip is, missed clips, a feed token per station."""

import secrets

import django.db.models.deletion
from django.db import migrations, models

import broadcast.models.stations


def give_tokens(apps, schema_editor):
    for station in apps.get_model("broadcast", "Station").objects.filter(feed_token=None):
        station.feed_token = secrets.token_urlsafe(18)
        station.save(update_fields=["feed_token"])


class Migration(migrations.Migration):
    dependencies = [("broadcast", "0002_line")]

    operations = [
        migrations.AddField("clip", "account_id", models.BigIntegerField(default=0), preserve_default=False),
        migrations.AddField("clip", "missed_at", models.DateTimeField(null=True)),
        migrations.AddField("clip", "missed_reason", models.CharField(blank=True, max_length=200)),
        migrations.AddField("station", "feed_token", models.CharField(max_length=40, null=True, editable=False)),
        migrations.RunPython(give_tokens, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "station",
            "feed_token",
            models.CharField(
                default=broadcast.models.stations.new_feed_token, editable=False, max_length=40, unique=True
            ),
        ),
        migrations.AlterField(
            "bulletin",
            "station",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="broadcast.station"
            ),
        ),
        migrations.RemoveConstraint("bulletin", "bulletin_once_per_station"),
        migrations.AddConstraint(
            "bulletin",
            models.UniqueConstraint(
                fields=["content", "station"], name="bulletin_once_per_station", nulls_distinct=False
            ),
        ),
    ]
