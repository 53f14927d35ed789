"""Routes of leaderboards."""

from django.urls import path

from scoring.leaderboards import views

urlpatterns = [
    path("studies/<slug:slug>/leaderboard/", views.show_leaderboard, name="leaderboard"),
    path("studies/<slug:slug>/leaderboard.json", views.leaderboard_json, name="leaderboard-json"),
    path("studies/<slug:slug>/leaderboard/<str:letter>/", views.show_receipt, name="leaderboard-receipt"),
]
