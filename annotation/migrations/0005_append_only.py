"""Put old events into chains and seal old grades and reviews; 0006 then closes their tables."""

from django.db import migrations

from annotation.audit.backfill import Chains, link_events
from annotation.curation.seals import seal_reviews
from annotation.grading.backfill import seal_grades


def begin_chains(apps, schema_editor):
    chains = Chains(apps)
    link_events(apps, chains)
    seal_reviews(apps, chains)
    seal_grades(apps, chains)
    chains.store()


class Migration(migrations.Migration):
    dependencies = [("annotation", "0004_trust")]

    operations = [migrations.RunPython(begin_chains, migrations.RunPython.noop)]
