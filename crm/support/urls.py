from django.urls import path

from crm.support import views

urlpatterns = [
    path("", views.support, name="support"),
    path("<int:number>/", views.ticket, name="ticket"),
    path("<int:number>/solve/", views.solve, name="ticket-solve"),
    path("<int:number>/reopen/", views.reopen, name="ticket-reopen"),
]
