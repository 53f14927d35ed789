"""The planner: a calculator for everybody who is signed in; it reads no study."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from scoring.planning.charts import width_curves
from scoring.planning.forms import OWN, PARTS, PlanForm, defaults
from scoring.planning.services import plan


@require_safe
def show_planner(request: HttpRequest) -> HttpResponse:
    asked = defaults() | {name: value for name, value in request.GET.items() if name in PlanForm.base_fields}
    form = PlanForm(asked)
    found = plan(form.cleaned_data) if form.is_valid() else None
    context = {
        "form": form,
        "found": found,
        "plot": width_curves(found["table"]) if found else None,
        "parts": [(name, found["components"][name]) for name in PARTS] if found else [],
        "quantity": dict(form.fields["quantity"].choices).get(asked["quantity"], ""),  # type: ignore[attr-defined]
        "own": asked["rubric"] == OWN,
    }
    return render(request, "scoring/planning/planner.html", context, status=200 if found else 422)
