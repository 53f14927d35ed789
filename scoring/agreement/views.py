"""The agreement page of a study."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.studies.models import Study
from scoring.agreement import services


def _study(request: HttpRequest, slug: str) -> Study:
    studies = Study.objects.analyzable_by(request.user).select_related("release__dataset")
    return get_object_or_404(studies, slug=slug)


@require_safe
def show_agreement(request: HttpRequest, slug: str) -> HttpResponse:
    study = _study(request, slug)
    found = services.agreement(study)
    estimators = {one["icc_a1"]["estimator"] for one in found["criteria"] if one["icc_a1"]["value"] is not None}
    context = {
        "study": study,
        "agreement": found,
        "any": any(one["n_values"] for one in found["criteria"]),
        "coverages": sorted(
            {
                one[key]["coverage"]
                for one in found["criteria"]
                for key in ("alpha", "icc_a1")
                if one[key].get("coverage")
            }
        ),
        "estimator": estimators.pop() if len(estimators) == 1 else "",
        "runs_it": Study.objects.run_by(request.user).filter(pk=study.pk).exists(),
    }
    return render(request, "scoring/agreement/agreement.html", context)


@require_safe
def agreement_json(request: HttpRequest, slug: str) -> JsonResponse:
    return JsonResponse(services.agreement(_study(request, slug)), json_dumps_params={"indent": 1})
