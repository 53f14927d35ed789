"""Routes of releases."""

from django.urls import path

from annotation.releases import views

urlpatterns = [
    path("datasets/<slug:slug>/releases/", views.list_releases, name="release-list"),
    path("datasets/<slug:slug>/releases/freeze/", views.freeze_release, name="release-freeze"),
    path("datasets/<slug:slug>/releases/<str:version>/", views.show_release, name="release-detail"),
    path(
        "datasets/<slug:slug>/releases/<str:version>/manifest.json",
        views.show_manifest,
        name="release-manifest",
    ),
]
