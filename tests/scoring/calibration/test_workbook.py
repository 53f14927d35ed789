"""End to end: the number on the page equals the one anybody computes with scipy from the rows of the score sheet."""

from statistics import mean, stdev

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import load_workbook
from scipy import stats

from annotation.studies.models import Rubric
from scoring.calibration import services
from scoring.calibration.models import Judge, Judgment, JudgmentImport
from scoring.exports.services import export_workbook
from tests import factories
from tests.api.world import Program
from tests.scoring.calibration.world import METRIC, analyst_of, kept, made

pytestmark = pytest.mark.django_db


def rows_of(sheet):
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=False)) for row in rows]


@pytest.fixture(scope="module")
def exported(django_db_setup, django_db_blocker, tmp_path_factory):
    """A study of one output per case, so that its limits are the ordinary ones; with what its sheets hold."""
    path = tmp_path_factory.mktemp("calibration") / "sheet.xlsx"
    with kept(django_db_blocker):
        world = made(items=24, systems=1, readers=2)
        analyst = analyst_of(world.study)
        export_workbook(study=world.study, out=path, actor=None, banner="")
        book = load_workbook(path, read_only=True)
        sheets = {name: rows_of(book[name]) for name in ("Grades", "Metrics", "Judgments", "Calibration")}
        yield world, analyst, sheets


def experts(sheets):
    """Mean of the readers' first grades by output, from sheet Grades alone."""
    values = {}
    for row in sheets["Grades"]:
        if row["Criterion"] == "overall" and row["Version"] == 1:
            values.setdefault((row["Item"], row["System"]), []).append(row["Value"])
    return {key: mean(found) for key, found in values.items()}


def pairs(sheets, name):
    """(measure, experts) of every output that has both, from the sheets alone."""
    graded = experts(sheets)
    if name == "Judgments":
        given = {(r["Item"], r["System"]): r["Value"] for r in sheets[name] if r["Newest"] == "yes"}
    else:
        given = {(r["Item"], r["System"]): r["Value"] for r in sheets[name] if r["Metric"] == METRIC}
    both = [(given[key], graded[key]) for key in graded if given.get(key) is not None]
    return [list(side) for side in zip(*both, strict=True)]


def told(sheets, tier, part, number, scope=None):
    found = [
        row
        for row in sheets["Calibration"]
        if (row["Tier"], row["Part"], row["Number"]) == (tier, part, number) and row["Scope"] == scope
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(("sheet", "tier"), [("Judgments", "judge"), ("Metrics", "semantic")])
def test_correlations_follow_from_the_exported_rows_by_scipy(exported, sign_in, sheet, tier):
    world, analyst, sheets = exported
    measure, means = pairs(sheets, sheet)
    key = f"judge:{world.judge.pk}:overall" if tier == "judge" else f"metric:{METRIC}"
    page = sign_in(analyst).get(reverse("scoring:certificate", args=[world.study.slug]), {"measure": key})

    for name, scipys in (
        ("Pearson", stats.pearsonr),
        ("Spearman", stats.spearmanr),
        ("Kendall tau-b", stats.kendalltau),
    ):
        computed = scipys(measure, means)[0]
        row = told(sheets, tier, "correlation", name, "pooled")
        assert row["Value"] == pytest.approx(computed, abs=1e-9)
        assert (row["n"], row["Missing"]) == (len(measure), 24 - len(measure))
        assert f"{computed:.3f}" in page.content.decode()


def test_limits_of_agreement_follow_from_the_exported_rows_as_bland_and_altman_define_them(exported, sign_in):
    world, analyst, sheets = exported
    measure, means = pairs(sheets, "Judgments")
    gaps = [one - other for one, other in zip(measure, means, strict=True)]
    expected = {
        "bias: measure − experts": mean(gaps),
        "lower limit": mean(gaps) - stats.norm.ppf(0.975) * stdev(gaps),
        "upper limit": mean(gaps) + stats.norm.ppf(0.975) * stdev(gaps),
    }
    key = f"judge:{world.judge.pk}:overall"
    page = sign_in(analyst).get(reverse("scoring:certificate", args=[world.study.slug]), {"measure": key})

    for name, value in expected.items():
        row = told(sheets, "judge", "limits of agreement", name)
        assert row["Value"] == pytest.approx(value, abs=1e-9)
        assert row["Low"] < value < row["High"]
        assert f"{value:.3f}" in page.content.decode()


def test_page_program_and_sheet_tell_one_number(exported, sign_in):
    world, analyst, sheets = exported
    key = f"judge:{world.judge.pk}:overall"
    client = sign_in(analyst)

    by_api = client.get(f"/api/v1/studies/{world.study.slug}/certificate/", {"measure": key}).json()
    court = client.get(f"/api/v1/studies/{world.study.slug}/courtroom/").json()

    found = services.certificate(world.study, key)
    assert by_api["correlations"] == found["correlations"]
    assert by_api["limits"] == found["limits"]
    cell = court["groups"][0]["cells"][1]
    rows = [row for row in sheets["Calibration"] if row["Part"] == "courtroom" and row["Tier"] == "judge"]
    everything = next(row for row in rows if row["Task"] is None and row["Modality"] is None)
    assert everything["Value"] == pytest.approx(cell["value"], abs=1e-12)
    assert everything["Low, all cells"] == pytest.approx(cell["all_low"], abs=1e-12)


def test_the_page_prints_the_numbers_of_bland_and_altman_1986(exported, sign_in):
    """Lancet 327(8476), table 1: 17 subjects, mini Wright meter held against the large one."""
    large = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    dataset = factories.dataset("meters")
    for _ in large:
        factories.item(dataset, images=False)
    rubric = factories.rubric("PEF")
    Rubric.objects.filter(pk=rubric.pk).update(scale_min=100, scale_max=700)
    release = factories.release(dataset)
    submission = factories.submission(release, "mini-meter")
    study = factories.study(release, slug="meters", submissions=[submission], rubrics=[rubric], state="running")
    reader = factories.enroll(study, factories.person("large_meter"))
    judge = Judge.objects.create(name="mini", rubric=rubric, scale_min=100, scale_max=700, view="with_reference")
    batch = JudgmentImport.objects.create(judge=judge, submission=submission, file_sha256="f" * 64)
    for study_item, by_large, by_mini in zip(study.study_items.all(), large, mini, strict=True):
        output = submission.outputs.get(revision=study_item.revision)
        reading = factories.reading(reader, study_item, [output])
        factories.grade(reading.reading_outputs.get(), scores={"overall": by_large})
        criterion = rubric.criteria.get(code="overall")
        Judgment.objects.create(batch=batch, judge=judge, output=output, criterion=criterion, value=by_mini)

    page = sign_in(analyst_of(study, "wright")).get(
        reverse("scoring:certificate", args=[study.slug]), {"measure": f"judge:{judge.pk}:overall"}
    )

    limits = page.context["found"]["limits"]
    assert (round(limits["bias"], 1), round(limits["spread"], 1)) == (2.1, 38.8)
    assert f"{limits['bias']:.3f}" in page.content.decode()
    assert "a correlation needs at least 20 outputs, 17 entered" in page.content.decode()


def test_a_metric_without_a_common_scale_says_so_in_its_row(exported):
    row = told(exported[2], "semantic", "limits of agreement", "bias: measure − experts")

    assert row["Value"] is None
    assert row["Not there because"] == "the measure has no scale in common with the experts"


def test_programs_bring_judgments_in_and_read_them_back(exported):
    world, _, _ = exported
    submission = world.world.submissions[0]
    program = Program(factories.person("maker", may_create_studies=True))
    item = submission.outputs.first().revision.item.code
    lines = f'{{"item": "{item}", "scores": {{"overall": 95}}}}\n{{"item": "IT-999999", "scores": {{}}}}\n'
    body = {"judge": "by-api", "rubric": "T1@1.0", "scale": "1-5", "view": "with_reference"}

    def send(**changed):
        file = SimpleUploadedFile("j.jsonl", lines.encode())
        return program.upload(f"submissions/{submission.pk}/judgments/", body | {"file": file} | changed)

    refused, brought = send(scale=""), send()

    assert refused.status == 422
    assert "scale: not declared" in refused.data["detail"]
    assert (brought.status, brought.data["new"], brought.data["refused"]) == (201, 1, 1)
    assert brought.data["reasons"]["out_of_range"] == 1
    listed = program.get(f"submissions/{submission.pk}/judgments/", judge="by-api", reason="out_of_range").data
    assert [(row["value"], row["reason"], row["raw"]) for row in listed["results"]] == [(None, "out_of_range", "95")]
