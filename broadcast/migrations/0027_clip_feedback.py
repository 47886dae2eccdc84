"""A short public code for each clip, and what residents say about it."""

from django.db import migrations, models

import broadcast.models.stations


def give_codes(apps, schema_editor):
    for clip in apps.get_model("broadcast", "Clip").objects.filter(code=None).iterator():
        clip.code = broadcast.models.stations.new_clip_code()
        clip.save(update_fields=["code"])


class Migration(migrations.Migration):
    dependencies = [("broadcast", "0026_readings")]

    operations = [
        migrations.AddField("clip", "heard", models.PositiveIntegerField(default=0)),
        migrations.AddField("clip", "unclear", models.PositiveIntegerField(default=0)),
        migrations.AddField("clip", "code", models.CharField(max_length=8, null=True, editable=False)),
        migrations.RunPython(give_codes, migrations.RunPython.noop, elidable=True),
        migrations.AlterField(
            "clip",
            "code",
            models.CharField(
                default=broadcast.models.stations.new_clip_code, editable=False, max_length=8, unique=True
            ),
        ),
    ]
