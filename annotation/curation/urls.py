"""Routes of curation."""

from django.urls import path

from annotation.curation import views

urlpatterns = [
    path("datasets/<slug:slug>/review/", views.review_queue, name="review-queue"),
    path("items/<uuid:pk>/review/", views.review_item, name="review-create"),
    path("items/<uuid:pk>/fix/", views.fix_item, name="item-fix"),
]
