"""Routes of composites."""

from django.urls import path

from scoring.composites import views

urlpatterns = [
    path("studies/<slug:slug>/composite/", views.edit_composite, name="composite"),
    path("studies/<slug:slug>/combination/", views.show_combination, name="combination"),
    path("studies/<slug:slug>/combination.json", views.combination_json, name="combination-json"),
]
