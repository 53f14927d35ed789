"""Texts of outputs that name a system: told when they are imported, refused by nobody.

Readers of a study would see such a text; there it is masked or accepted by the coordinator. Here whoever imports
learns it, with the line, while the file can still be mended.
"""

from collections.abc import Iterable

from annotation.formats import Problem
from annotation.systems.models import Output, SystemVersion
from annotation.systems.naming import DEVELOPERS, FAMILIES, find_names, names_of_system
from annotation.systems.writing import PlannedOutput

WORDS_SHOWN = 3
RULE = "names a system, and readers would see it: mend the text, or mask it on the page “Blinding” of a study"


def known_names(*, name: str, slug: str, version: str) -> list[str]:
    """Names of the system that is imported, of all systems that are known, of public families and developers."""
    rows = SystemVersion.objects.values_list("system__name", "system__slug", "version")
    names = names_of_system(name=name, slug=slug, version=version)
    for known in rows:
        names += names_of_system(name=known[0], slug=known[1], version=known[2])
    return sorted({*names, *FAMILIES, *DEVELOPERS})


def remarks_on_names(planned: Iterable[PlannedOutput], names: list[str]) -> list[Problem]:
    """One remark for each line whose text a reader would see and which names a system, with the words as written."""
    remarks = []
    for plan in planned:
        draft = plan.draft
        if draft.status != Output.Status.OK:
            continue
        written = dict.fromkeys(
            found.written for part in draft.parts if part.text for found in find_names(part.text, names)
        )
        if written:
            said = ", ".join(list(written)[:WORDS_SHOWN]) + (", …" if len(written) > WORDS_SHOWN else "")
            remarks.append(Problem(draft.record.file, draft.record.line, "text", said, RULE, fatal=False))
    return remarks
