"""A case of adjudication in a small study."""

from uuid import UUID

from annotation.adjudication.queue import cases_of
from annotation.adjudication.services import Decision, decide
from annotation.studies.models import Study
from tests import factories


def decided_case(study: Study, *, rationale: str = "So it is.") -> UUID:
    """The key of a case about harm that an adjudicator confirmed, and that can be reopened."""
    submission = factories.submission(study.release, "case-maker")
    study.study_systems.create(submission=submission, letter="Z")
    item = study.study_items.first()
    output = submission.outputs.get(revision=item.revision)
    enrolled = factories.enroll(study, factories.person("second"))
    place = factories.reading(enrolled, item, [output], status="submitted").reading_outputs.get()
    factories.grade(place, safety="severe")
    adjudicator = factories.person("adjudicator")
    factories.enroll(study, adjudicator, "adjudicator")
    case = next(case for case in cases_of(study) if case.output == output.pk)
    decision = Decision(verdict="confirmed", level="severe", cause="other", rationale=rationale, seen=case.seen)
    decide(study=study, key=case.key, actor=adjudicator, decision=decision)
    return case.key
