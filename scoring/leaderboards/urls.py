"""Routes of leaderboards and comparisons."""

from django.urls import path

from scoring.leaderboards import comparison_views, views

STUDY = "studies/<slug:slug>"
urlpatterns = [
    path(f"{STUDY}/leaderboard/", views.show_leaderboard, name="leaderboard"),
    path(f"{STUDY}/leaderboard.json", views.leaderboard_json, name="leaderboard-json"),
    path(f"{STUDY}/leaderboard/<str:letter>/", views.show_receipt, name="leaderboard-receipt"),
    path(f"{STUDY}/comparison/", comparison_views.show_comparison, name="comparison"),
    path(f"{STUDY}/comparison.json", comparison_views.comparison_json, name="comparison-json"),
    path(f"{STUDY}/comparison/imrmc.csv", comparison_views.imrmc_csv, name="comparison-imrmc"),
    path(f"{STUDY}/comparison/mrmcaov.csv", comparison_views.mrmcaov_csv, name="comparison-mrmcaov"),
]
