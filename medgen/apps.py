"""The project as an installed app: its commands are demo and serve."""

from django.apps import AppConfig


class MedgenConfig(AppConfig):
    name = "medgen"

    def ready(self) -> None:
        from medgen import checks, database_check, tasks  # noqa: F401 (register the start-up checks)

        tasks.register_lazily()
