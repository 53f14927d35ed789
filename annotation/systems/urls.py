"""Routes of systems, submissions, outputs and imports."""

from django.urls import path

from annotation.systems import import_views, quarantine_views, views

urlpatterns = [
    path("systems/", views.list_systems, name="system-list"),
    path("systems/<slug:slug>/", views.show_system, name="system-detail"),
    path("submissions/<uuid:pk>/", views.show_submission, name="submission-detail"),
    path("submissions/<uuid:pk>/quarantine/", quarantine_views.judge_outputs, name="output-quarantine"),
    path("outputs/import/", import_views.import_page, name="output-import"),
    path("outputs/<uuid:pk>/images/<int:index>/frames.json", views.output_frames, name="output-frames"),
    path("outputs/<uuid:pk>/images/<int:index>/frames.bin", views.output_data, name="output-data"),
    path("imports/<uuid:pk>/", import_views.show_import, name="import-detail"),
    path("imports/<uuid:pk>/problems.csv", import_views.download_problems, name="import-problems"),
]
