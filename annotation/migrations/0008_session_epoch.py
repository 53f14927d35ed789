from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0007_asset_checksums")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
