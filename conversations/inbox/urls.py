"""The inbox: pages, fragments, and one address per verb."""

from django.urls import path

from conversations.inbox import acting, templated, verbs, views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("rows/", views.rows, name="inbox-rows"),
    path("<int:pk>/", views.conversation, name="conversation"),
    path("<int:pk>/head/", views.head, name="conversation-head"),
    path("<int:pk>/panel/", views.panel, name="conversation-panel"),
    path("<int:pk>/earlier/", views.earlier, name="conversation-earlier"),
    path("<int:pk>/why/<int:message_pk>/", views.why, name="conversation-why"),
    path("<int:pk>/reply/", verbs.reply, name="conversation-reply"),
    path("<int:pk>/composer/", views.composer, name="conversation-composer"),
    path("<int:pk>/template/", templated.preview, name="conversation-template"),
    path("<int:pk>/template/send/", templated.send, name="conversation-template-send"),
    path("<int:pk>/note/", verbs.note, name="conversation-note"),
    path("<int:pk>/upload/", verbs.upload, name="conversation-upload"),
    path("<int:pk>/assign/", verbs.assign, name="conversation-assign"),
    path("<int:pk>/take/", verbs.take, name="conversation-take"),
    path("<int:pk>/resolve/", verbs.resolve, name="conversation-resolve"),
    path("<int:pk>/reopen/", verbs.reopen, name="conversation-reopen"),
    path("<int:pk>/seen/", verbs.seen, name="conversation-seen"),
    path("<int:pk>/correct/<int:message_pk>/", verbs.correct, name="conversation-correct"),
    path("<int:pk>/resend/<int:delivery_pk>/", verbs.resend, name="conversation-resend"),
    path("<int:pk>/let-go/<int:delivery_pk>/", verbs.let_go, name="conversation-let-go"),
    path("<int:pk>/acts/<int:message_pk>/", acting.acts_of, name="message-acts"),
    path("<int:pk>/acts/<int:message_pk>/edit/", acting.edit, name="message-edit"),
    path("<int:pk>/acts/<int:message_pk>/delete/", acting.delete, name="message-delete"),
    path("<int:pk>/acts/<int:message_pk>/react/", acting.react, name="message-react"),
    path("<int:pk>/acts/<int:message_pk>/moderate/", acting.moderate, name="message-moderate"),
    path("<int:pk>/take-as-sent/<int:delivery_pk>/", verbs.take_as_sent, name="conversation-take-as-sent"),
]
