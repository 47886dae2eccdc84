from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("broadcast", "0020_outlets")]

    operations = [migrations.AddField("bulletin", "source", models.CharField(default="", max_length=64))]
