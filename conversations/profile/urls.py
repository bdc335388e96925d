from django.urls import path

from conversations.profile import views

urlpatterns = [
    path("customers/<int:pk>/conversations/", views.customer_conversations, name="customer-conversations"),
    path("records/<str:kind>/<int:pk>/conversations/", views.record_conversations, name="record-conversations"),
]
