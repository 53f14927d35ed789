"""Routes of datasets and items. The page of one import is in the room of systems: it shows outputs too."""

from django.urls import path

from annotation.datasets import import_views, member_views, views

urlpatterns = [
    path("datasets/", views.list_datasets, name="dataset-list"),
    path("datasets/import/", import_views.import_page, name="item-import"),
    path("datasets/<slug:slug>/", views.show_dataset, name="dataset-detail"),
    path("datasets/<slug:slug>/people/", member_views.list_members, name="member-list"),
    path("datasets/<slug:slug>/people/access/", member_views.change_access, name="member-access"),
    path("datasets/<slug:slug>/people/<uuid:person>/remove/", member_views.remove_member, name="member-remove"),
    path("datasets/<slug:slug>/items/", views.list_items, name="item-list"),
    path("items/<uuid:pk>/", views.show_item, name="item-detail"),
    path("items/<uuid:pk>/images/<int:index>/frames.json", views.image_frames, name="image-frames"),
    path("items/<uuid:pk>/images/<int:index>/frames.bin", views.image_data, name="image-data"),
    path("items/<uuid:pk>/images/<int:index>/thumbnail.png", views.image_thumbnail, name="image-thumbnail"),
]
