"""What long work there is: the rooms whose `work` modules register their kinds, imported when first needed.

An engine of another house (Celery, Dask, a cluster's array job) calls `annotation.work.executor.drain()`.
"""

from importlib import import_module

from annotation.work import kinds

ROOMS = (
    "annotation.datasets", "annotation.releases", "annotation.systems", "annotation.grading", "scoring.runs",
    "scoring.calibration", "scoring.exports",
)  # fmt: skip


def load() -> None:
    """Import the rooms that can run something."""
    for room in ROOMS:
        import_module(f"{room}.work")


def register_lazily() -> None:
    """Let the rooms register when somebody first asks for a kind."""
    kinds.use_loader(load)
