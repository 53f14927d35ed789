"""What a system is called: its letter until the study is locked, then its name."""

from annotation.studies.models import Study, StudySystem


def system_names(study: Study) -> dict[str, str]:
    """Letter → words shown. A running study shows letters to everybody, so that nobody is unblinded by a report."""
    rows = StudySystem.objects.filter(study=study).select_related("submission__system_version__system")
    if study.state != Study.State.LOCKED:
        return {row.letter: f"System {row.letter}" for row in rows}
    return {row.letter: str(row.submission.system_version) for row in rows}
