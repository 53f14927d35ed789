"""Routes of grading."""

from django.urls import path

from annotation.grading import blanking_views, leak_views, shell, views

PREVIEW_PANE = "studies/<slug:slug>/preview/<int:number>/panes/<int:pane>"

urlpatterns = [
    path("service-worker.js", shell.send_service_worker, name="service-worker"),
    path("readings/offline/", shell.show_shell, name="offline-shell"),
    path("studies/<slug:slug>/read/", views.next_reading, name="reading-next"),
    path("studies/<slug:slug>/readings/", views.list_readings, name="reading-list"),
    path("readings/<uuid:pk>/", views.show_reading, name="reading-detail"),
    path("readings/<uuid:pk>/reading.json", views.send_reading, name="reading-json"),
    path("readings/<uuid:pk>/panes/<int:number>/frames.json", views.send_frames_header, name="pane-frames"),
    path("readings/<uuid:pk>/panes/<int:number>/frames.bin", views.send_frames_data, name="pane-data"),
    path("readings/<uuid:pk>/draft/", views.save_draft, name="draft-save"),
    path("readings/<uuid:pk>/submit/", views.submit_grade, name="grade-submit"),
    path("readings/<uuid:pk>/skip/", views.skip_reading, name="reading-skip"),
    path("readings/<uuid:pk>/guess/", views.save_guess, name="guess-save"),
    path("studies/<slug:slug>/texts/", blanking_views.list_texts, name="text-list"),
    path("grades/<uuid:pk>/blank/", blanking_views.blank_grade, name="grade-blank"),
    path("studies/<slug:slug>/_flags/", views.show_flags, name="study-flags"),
    path("studies/<slug:slug>/blinding/leaks/", leak_views.show_leaks, name="blinding-leaks"),
    path("studies/<slug:slug>/blinding/leaks/scan/", leak_views.scan_leaks, name="blinding-leaks-scan"),
    path("studies/<slug:slug>/preview/", views.start_preview, name="study-preview"),
    path("studies/<slug:slug>/preview/<int:number>/", views.show_preview, name="preview-detail"),
    path("studies/<slug:slug>/preview/<int:number>/reading.json", views.send_preview, name="preview-json"),
    path(f"{PREVIEW_PANE}/frames.json", views.send_preview_header, name="preview-frames"),
    path(f"{PREVIEW_PANE}/frames.bin", views.send_preview_data, name="preview-data"),
]
