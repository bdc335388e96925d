from django.urls import path

from crm.marketing import views

urlpatterns = [
    path("", views.marketing, name="marketing"),
    path("responses/<int:number>/", views.response, name="campaign-response"),
    path("responses/<int:number>/close/", views.close, name="campaign-response-close"),
    path("responses/<int:number>/reopen/", views.reopen, name="campaign-response-reopen"),
    path("campaigns/", views.campaigns, name="campaigns"),
    path("campaigns/<int:pk>/", views.campaign, name="campaign"),
]
