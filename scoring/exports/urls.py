"""Routes of exports."""

from django.urls import path

from scoring.exports import views

urlpatterns = [
    path("studies/<slug:slug>/workbook.xlsx", views.download_workbook, name="workbook-download"),
    path("studies/<slug:slug>/export/", views.list_exports, name="export-list"),
]
