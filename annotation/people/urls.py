"""Routes of people."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from annotation.people import signing_in, views

urlpatterns = [
    path("sign-in/", signing_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/again/", signing_in.sign_in_again, name="sign-in-again"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("password/", views.ChangePassword.as_view(), name="password-change"),
    path("invitation/<str:uid>/<str:token>/", views.accept_invitation, name="invitation-accept"),
    path("people/", views.list_people, name="person-list"),
    path("people/new/", views.create_person, name="person-create"),
    path("people/<uuid:pk>/", views.show_person, name="person-detail"),
    path("people/<uuid:pk>/roles/", views.change_roles, name="person-roles"),
    path("people/<uuid:pk>/erase/", views.erase, name="person-erase"),
    path("people/<uuid:pk>/activity/", views.change_activity, name="person-activity"),
]
