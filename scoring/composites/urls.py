"""Routes of composites."""

from django.urls import path

from scoring.composites import views

urlpatterns = [path("studies/<slug:slug>/composite/", views.edit_composite, name="composite")]
