"""Routes of the planner."""

from django.urls import path

from scoring.planning import views

urlpatterns = [path("planner/", views.show_planner, name="planner")]
