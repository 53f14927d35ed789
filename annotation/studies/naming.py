"""What a system of a study may be called: its letter, and its name only once two people have unblinded the study."""

from annotation.studies.models import Study, StudySystem


def system_names(study: Study) -> dict[str, str]:
    """Letter → name of each system, in the order of the letters; every name is empty while names are not open."""
    rows = StudySystem.objects.filter(study=study).order_by("letter")
    if not study.names_are_open:
        return dict.fromkeys(rows.values_list("letter", flat=True), "")
    rows = rows.select_related("submission__system_version__system")
    return {row.letter: str(row.submission.system_version) for row in rows}
