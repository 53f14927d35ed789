"""Routes of datasets and items. The page of one import is in the room of systems: it shows outputs too."""

from django.urls import path

from annotation.datasets import import_views, views

urlpatterns = [
    path("datasets/", views.list_datasets, name="dataset-list"),
    path("datasets/import/", import_views.import_page, name="item-import"),
    path("datasets/<slug:slug>/", views.show_dataset, name="dataset-detail"),
    path("datasets/<slug:slug>/items/", views.list_items, name="item-list"),
    path("items/<uuid:pk>/", views.show_item, name="item-detail"),
    path("items/<uuid:pk>/images/<int:index>/frames.json", views.image_frames, name="image-frames"),
    path("items/<uuid:pk>/images/<int:index>/frames.bin", views.image_data, name="image-data"),
    path("items/<uuid:pk>/images/<int:index>/thumbnail.png", views.image_thumbnail, name="image-thumbnail"),
]
