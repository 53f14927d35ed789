"""Routes of adjudication."""

from django.urls import path

from annotation.adjudication import views

CASE = "studies/<slug:slug>/adjudication/<uuid:key>"

urlpatterns = [
    path("studies/<slug:slug>/adjudication/", views.list_cases, name="adjudication-list"),
    path("studies/<slug:slug>/adjudication/requests/", views.ask_for_case, name="adjudication-request"),
    path(f"{CASE}/", views.show_case, name="adjudication-detail"),
    path(f"{CASE}/reopen/", views.reopen_case, name="adjudication-reopen"),
    path(f"{CASE}/panes/<int:pane>/frames.json", views.send_frames_header, name="adjudication-frames"),
    path(f"{CASE}/panes/<int:pane>/frames.bin", views.send_frames_data, name="adjudication-data"),
]
