"""Routes of studies."""

from django.urls import path

from annotation.studies import (
    blinding_views,
    consent_views,
    design_views,
    seat_views,
    training_views,
    unblinding_views,
    views,
)

NAMES = "studies/<slug:slug>/unblinding/"
urlpatterns = [
    path("studies/", views.list_studies, name="study-list"),
    path("studies/new/", views.create_study, name="study-create"),
    path("studies/new/workload/", design_views.show_workload, name="design-workload"),
    path("studies/new/import/", design_views.import_design, name="design-import"),
    path("studies/<slug:slug>/design.json", design_views.send_design, name="study-design"),
    path("studies/<slug:slug>/", views.show_study, name="study-detail"),
    path("studies/<slug:slug>/people/", views.list_people, name="enrollment-list"),
    path("studies/<slug:slug>/people/<int:pk>/activity/", views.change_enrollment, name="enrollment-activity"),
    path("studies/<slug:slug>/people/<int:pk>/replace/", seat_views.replace_reader, name="reader-replace"),
    path("studies/<slug:slug>/people/<int:pk>/admit/", seat_views.admit_reader, name="reader-admit"),
    path("studies/<slug:slug>/training/", training_views.show_training, name="study-training"),
    path("studies/<slug:slug>/balance/", views.show_balance, name="study-balance"),
    path("studies/<slug:slug>/consent/", consent_views.show_consent, name="consent-detail"),
    path("studies/<slug:slug>/consent/withdraw/", consent_views.withdraw_consent, name="consent-withdraw"),
    path("studies/<slug:slug>/consent/versions/", consent_views.list_forms, name="consent-form-list"),
    path("studies/<slug:slug>/blinding/", blinding_views.show_blinding, name="study-blinding"),
    path("studies/<slug:slug>/blinding/scan/", blinding_views.scan_blinding, name="blinding-scan"),
    path("studies/<slug:slug>/blinding/decide/", blinding_views.decide_blinding, name="blinding-decide"),
    path(NAMES, unblinding_views.show_unblinding, name="study-unblinding"),
    *[
        path(f"{NAMES}{act}/", unblinding_views.act_on_names, {"act": act}, name=f"names-{act}")
        for act in unblinding_views.ACTS
    ],
    path("rubrics/<str:code>/<str:version>/", views.show_rubric, name="rubric-detail"),
    *[path(f"studies/<slug:slug>/{act}/", views.move_study, {"act": act}, name=f"study-{act}") for act in views.ACTS],
]
