from django.urls import path

from conversations.pulse import views

urlpatterns = [
    path("pulse/", views.pulse, name="pulse"),
    path("pulse/mood/", views.mood, name="pulse-mood"),
    path("pulse/voices/", views.voices_of_view, name="pulse-voices"),
]
