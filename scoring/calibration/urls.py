"""Routes of calibration: judgments of a submission; courtroom, certificates and radar of a study."""

from django.urls import path

from scoring.calibration import judgment_views, radar_views, views

STUDY = "studies/<slug:slug>/calibration"
SPOT = f"{STUDY}/radar/<uuid:row>"

urlpatterns = [
    path("submissions/<uuid:pk>/judgments/", judgment_views.list_judgments, name="judgment-list"),
    path(f"{STUDY}/", views.show_courtroom, name="calibration"),
    path(f"{STUDY}/certificate/", views.show_certificate, name="certificate"),
    path(f"{STUDY}/limit/", views.state, name="limit-state"),
    path(f"{STUDY}/compute/", views.compute, name="calibration-compute"),
    path(f"{STUDY}/radar/", radar_views.show_radar, name="radar"),
    path(f"{SPOT}/", radar_views.show_output, name="radar-detail"),
    path(f"{SPOT}/ask/", radar_views.ask_for_case, name="radar-ask"),
    path(f"{SPOT}/panes/<int:pane>/frames.json", radar_views.send_frames_header, name="radar-frames"),
    path(f"{SPOT}/panes/<int:pane>/frames.bin", radar_views.send_frames_data, name="radar-data"),
]
