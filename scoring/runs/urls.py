"""Routes of metric runs."""

from django.urls import path

from scoring.runs import views

urlpatterns = [
    path("submissions/<uuid:pk>/metrics/", views.list_metrics, name="metric-list"),
    path("submissions/<uuid:pk>/metrics/_compute/", views.compute_metrics, name="metrics-compute"),
    path("items/<uuid:pk>/_metrics/", views.item_metrics, name="item-metrics"),
]
