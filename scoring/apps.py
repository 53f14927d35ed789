"""Numbers made from outputs and grades."""

from functools import partial
from importlib import import_module

from django.apps import AppConfig


class ScoringConfig(AppConfig):
    name = "scoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from annotation.studies import freezing
        from scoring.calibration import seals

        seals.register()
        freezing.use_loader(partial(import_module, "scoring.leaderboards.frozen"))
        freezing.use_loader(partial(import_module, "scoring.preferences.frozen"))
