from django.urls import path

from crm.sales import views

urlpatterns = [
    path("", views.sales, name="sales"),
    path("leads/<int:number>/", views.lead, name="lead"),
    path("leads/<int:number>/qualify/", views.qualify, name="lead-qualify"),
    path("leads/<int:number>/disqualify/", views.disqualify, name="lead-disqualify"),
    path("leads/<int:number>/reopen/", views.reopen_lead, name="lead-reopen"),
    path("opportunities/", views.opportunities, name="opportunities"),
    path("opportunities/<int:number>/", views.opportunity, name="opportunity"),
    path("opportunities/<int:number>/price/", views.price, name="opportunity-price"),
    path("opportunities/<int:number>/win/", views.win, name="opportunity-win"),
    path("opportunities/<int:number>/lose/", views.lose, name="opportunity-lose"),
    path("opportunities/<int:number>/reopen/", views.reopen, name="opportunity-reopen"),
]
