"""People and their judgments."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from annotation.adjudication.seals import register
        from annotation.preferences import asking
        from annotation.preferences import seals as preference_seals

        register()
        preference_seals.register()
        asking.register_kind()
