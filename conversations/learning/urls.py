from django.urls import path

from conversations.learning.pages import corrections, guide, label, models, overview, threshold, words

urlpatterns = [
    path("settings/learning/", overview.overview, name="learning"),
    path("settings/learning/consent/", overview.consent_to_teach, name="learning-consent"),
    path("settings/learning/corrections/", corrections.corrections, name="corrections"),
    path("settings/learning/threshold/", threshold.threshold, name="threshold"),
    path("settings/learning/threshold/curve/", threshold.drawn, name="threshold-curve"),
    path("settings/learning/label/", label.label, name="label"),
    path("settings/learning/label/<int:pk>/", label.answer, name="label-answer"),
    path("settings/learning/label/<int:pk>/skip/", label.skip, name="label-skip"),
    path("settings/learning/models/", models.models, name="models"),
    path("settings/learning/models/list/", models.listed, name="models-list"),
    path("settings/learning/models/train/", models.train, name="models-train"),
    path("settings/learning/models/roll-back/", models.roll_back, name="models-roll-back"),
    path("settings/learning/models/<int:pk>/use/", models.use, name="model-use"),
    path("settings/learning/words/", words.words, name="own-words"),
    path("settings/learning/words/new/", words.new, name="own-word-new"),
    path("settings/learning/words/<int:pk>/", words.word, name="own-word"),
    path("settings/learning/words/<int:pk>/remove/", words.remove, name="own-word-remove"),
    path("settings/learning/guide/", guide.guide, name="label-guide"),
]
