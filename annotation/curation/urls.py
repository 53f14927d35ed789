"""Routes of curation."""

from django.urls import path

from annotation.curation import quarantine_views, views

urlpatterns = [
    path("datasets/<slug:slug>/review/", views.review_queue, name="review-queue"),
    path("items/<uuid:pk>/review/", views.review_item, name="review-create"),
    path("items/<uuid:pk>/fix/", views.fix_item, name="item-fix"),
    path("datasets/<slug:slug>/quarantine/", quarantine_views.list_quarantine, name="quarantine-list"),
    path("datasets/<slug:slug>/quarantine/<uuid:pk>/", quarantine_views.judge_image, name="quarantine-detail"),
    path(
        "datasets/<slug:slug>/quarantine/<uuid:pk>/frames.json",
        quarantine_views.image_frames,
        name="quarantine-frames",
    ),
    path("datasets/<slug:slug>/quarantine/<uuid:pk>/frames.bin", quarantine_views.image_data, name="quarantine-data"),
    path(
        "datasets/<slug:slug>/quarantine/<uuid:pk>/thumbnail.png",
        quarantine_views.image_thumbnail,
        name="quarantine-thumbnail",
    ),
]
