"""Routes of people."""

from django.urls import path

from annotation.people import account_views, key_views, signing_in, trail_views, views

urlpatterns = [
    path("sign-in/", signing_in.SignIn.as_view(), name="sign-in"),
    path("sign-in/again/", signing_in.sign_in_again, name="sign-in-again"),
    path("sign-out/", account_views.SignOut.as_view(), name="sign-out"),
    path("password/", account_views.ChangePassword.as_view(), name="password-change"),
    path("account/", account_views.show_account, name="account"),
    path("account/sign-out-elsewhere/", account_views.sign_out_elsewhere, name="account-sign-out"),
    path("account/keys/", key_views.list_keys, name="key-list"),
    path("account/keys/<uuid:pk>/revoke/", key_views.revoke_key, name="key-revoke"),
    path("trail/", trail_views.list_events, name="event-list"),
    path("invitation/<str:uid>/<str:token>/", views.accept_invitation, name="invitation-accept"),
    path("people/", views.list_people, name="person-list"),
    path("people/new/", views.create_person, name="person-create"),
    path("people/<uuid:pk>/", views.show_person, name="person-detail"),
    path("people/pauses/<int:pk>/lift/", views.lift_pause, name="pause-lift"),
    path("people/<uuid:pk>/invitation/", views.invite_person, name="person-invite"),
    path("people/<uuid:pk>/e-mail/", views.change_email, name="person-email"),
    path("people/<uuid:pk>/sign-out/", views.end_sessions, name="person-sign-out"),
    path("people/<uuid:pk>/roles/", views.change_roles, name="person-roles"),
    path("people/<uuid:pk>/erase/", views.erase, name="person-erase"),
    path("people/<uuid:pk>/activity/", views.change_activity, name="person-activity"),
]
