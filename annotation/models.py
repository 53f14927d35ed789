"""Collects the rooms' models; import them from the rooms themselves."""

from annotation.adjudication.models import Adjudication
from annotation.assets.models import Asset, PixelVerdict
from annotation.audit.models import ChainHead, Event
from annotation.curation.models import Checklist, ChecklistQuestion, Review, ReviewAnswer, ReviewReason
from annotation.datasets.models import (
    Dataset,
    DatasetMember,
    ImportJob,
    ImportProblem,
    Item,
    ItemAlias,
    ItemImage,
    ItemRevision,
)
from annotation.grading.models import CriterionScore, Draft, ErrorMark, Grade, SystemGuess
from annotation.people.models import ApiToken, IdempotencyKey, User
from annotation.preferences.models import Preference, PreferenceChoice, PreferenceError, PreferenceFlag
from annotation.releases.models import Release, ReleaseItem
from annotation.studies.models import (
    Anchor,
    Consent,
    ConsentForm,
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
    UnblindingRisk,
)
from annotation.systems.models import Output, OutputPart, Submission, System, SystemVersion
from annotation.work.models import Chunk, Job

__all__ = [
    "Adjudication", "Anchor", "ApiToken", "Asset", "ChainHead", "Checklist", "ChecklistQuestion", "Chunk",
    "Consent", "ConsentForm", "Criterion", "CriterionScore", "Dataset", "DatasetMember", "Draft", "Enrollment",
    "ErrorCode", "ErrorMark", "Event", "Grade", "IdempotencyKey", "ImportJob", "ImportProblem", "Item", "ItemAlias",
    "ItemImage", "ItemRevision", "Job", "Output", "OutputPart", "PixelVerdict", "Preference", "PreferenceChoice",
    "PreferenceError", "PreferenceFlag", "Reading", "ReadingOutput", "Release", "ReleaseItem", "Review",
    "ReviewAnswer", "ReviewReason", "Rubric", "Study", "StudyItem", "StudyRubric", "StudySystem", "Submission",
    "System", "SystemGuess", "SystemVersion", "UnblindingRisk", "User",
]  # fmt: skip
