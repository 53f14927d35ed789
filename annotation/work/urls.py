"""Routes of jobs."""

from django.urls import path

from annotation.work import views

urlpatterns = [
    path("jobs/", views.list_jobs, name="job-list"),
    path("jobs/<uuid:pk>/", views.show_job, name="job-detail"),
    path("jobs/<uuid:pk>/_progress/", views.show_progress, name="job-progress"),
    path("jobs/<uuid:pk>/cancel/", views.cancel_job, name="job-cancel"),
    path("jobs/<uuid:pk>/resume/", views.resume_job, name="job-resume"),
]
