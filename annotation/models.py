"""Collects the rooms' models; import them from the rooms themselves."""

from annotation.assets.models import Asset
from annotation.audit.models import Event
from annotation.curation.models import Checklist, ChecklistQuestion, Review, ReviewAnswer, ReviewReason
from annotation.datasets.models import (
    Dataset,
    ImportJob,
    ImportProblem,
    Item,
    ItemAlias,
    ItemImage,
    ItemRevision,
)
from annotation.grading.models import CriterionScore, Draft, ErrorMark, Grade
from annotation.people.models import User
from annotation.releases.models import Release, ReleaseItem
from annotation.studies.models import (
    Anchor,
    Criterion,
    Enrollment,
    ErrorCode,
    Reading,
    ReadingOutput,
    Rubric,
    Study,
    StudyItem,
    StudyRubric,
    StudySystem,
)
from annotation.systems.models import Output, OutputPart, Submission, System, SystemVersion

__all__ = [
    "Anchor", "Asset", "Checklist", "ChecklistQuestion", "Criterion", "CriterionScore", "Dataset", "Draft",
    "Enrollment", "ErrorCode", "ErrorMark", "Event", "Grade", "ImportJob", "ImportProblem", "Item", "ItemAlias",
    "ItemImage", "ItemRevision", "Output", "OutputPart", "Reading", "ReadingOutput", "Release", "ReleaseItem",
    "Review", "ReviewAnswer", "ReviewReason", "Rubric", "Study", "StudyItem", "StudyRubric", "StudySystem",
    "Submission", "System", "SystemVersion", "User",
]  # fmt: skip
