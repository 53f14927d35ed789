"""Routes of exports."""

from django.urls import path

from scoring.exports import views

urlpatterns = [
    path("studies/<slug:slug>/workbook.xlsx", views.download_workbook, name="workbook-download"),
    path("studies/<slug:slug>/export/", views.list_exports, name="export-list"),
    path("studies/<slug:slug>/workbook/", views.make_workbook, name="workbook-make"),
    path("studies/<slug:slug>/exports/<uuid:pk>/", views.download_export, name="export-download"),
]
