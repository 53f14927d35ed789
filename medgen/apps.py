"""The project as an installed app: its commands are demo and serve."""

from django.apps import AppConfig


class MedgenConfig(AppConfig):
    name = "medgen"

    def ready(self) -> None:
        from medgen import checks  # noqa: F401 (registers the start-up checks)
