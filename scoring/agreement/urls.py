"""Routes of agreement."""

from django.urls import path

from scoring.agreement import views

urlpatterns = [
    path("studies/<slug:slug>/agreement/", views.show_agreement, name="agreement"),
    path("studies/<slug:slug>/agreement.json", views.agreement_json, name="agreement-json"),
]
