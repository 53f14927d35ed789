"""Routes of preferences."""

from django.urls import path

from scoring.preferences import views

urlpatterns = [
    path("studies/<slug:slug>/preferences/", views.show_preferences, name="preferences"),
    path("studies/<slug:slug>/preferences.json", views.preferences_json, name="preferences-json"),
]
