"""What agents fill in: replies, notes, uploads, assignments, corrections."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from conversations import answering, intents
from conversations.learning import words
from conversations.models import Conversation, File, Inbox, Template
from conversations.outbound import Draft, buttons_of
from conversations.text import TEXT_LIMIT
from crm.workspace.models import Function, Membership, Workspace


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files."""

    widget = ManyFiles

    def clean(self, value: Any, initial: Any = None) -> list[UploadedFile]:
        given = value if isinstance(value, list | tuple) else [value]
        return [super(FilesField, self).clean(one, initial) for one in given if one]


class SayForm(forms.Form):
    """A text with the writer's own id for it: a double submit is one message."""

    client_id = forms.CharField(max_length=64)
    text = forms.CharField(required=False, max_length=TEXT_LIMIT)

    @staticmethod
    def new_id() -> str:
        return uuid.uuid4().hex


class NoteForm(SayForm):
    pass


class ReplyForm(SayForm):
    """`attachments` come with the form; `file` names what was uploaded before; `button` are the words on buttons."""

    attachments = FilesField(required=False)
    where = forms.ChoiceField(choices=[(answering.PUBLIC, ""), (answering.PRIVATE, "")], required=False)
    copies = forms.BooleanField(required=False)
    answered = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)

    def draft(self, conversation: Conversation, files: Sequence[File]) -> Draft:
        """What the form says."""
        said, pk = self.cleaned_data, self.cleaned_data["answered"]
        answered = conversation.messages.select_related("thread__inbox", "identity").filter(pk=pk, deleted_at=None)
        buttons = self.data.getlist("button") if hasattr(self.data, "getlist") else []
        to = answered.first() if pk else None
        return Draft(said["text"], files, buttons_of(buttons), said["where"], to, copies=said["copies"])

    def uploaded(self) -> list[File]:
        """The files that were uploaded for this reply and belong to no message yet, in the order given."""
        tokens = self.data.getlist("file") if hasattr(self.data, "getlist") else []
        found = {
            file.token: file
            for file in File.objects.filter(token__in=tokens[:20], message=None).exclude(kind="picture")
        }
        return [found[token] for token in dict.fromkeys(tokens) if token in found]


class TemplateForm(forms.Form):
    """An approved text and the values that go into it, in their order."""

    client_id = forms.CharField(max_length=64)

    def __init__(self, *args: Any, inbox: Inbox, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = Template.objects.filter(inbox=inbox, status=Template.Status.APPROVED)
        self.fields["template"] = forms.ModelChoiceField(queryset=usable)

    def values(self) -> list[str]:
        return list(self.data.getlist("value")) if hasattr(self.data, "getlist") else []


class UploadForm(forms.Form):
    attachments = FilesField()


class AssignForm(forms.Form):
    """Nobody when left empty."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["member"] = forms.ModelChoiceField(queryset=members(), required=False)


def members() -> Any:
    """Those whom a conversation can be given to."""
    working = Membership.objects.filter(left_at=None, agent__is_active=True)
    return working.select_related("agent").order_by("agent__name", "pk")


class CorrectionForm(forms.Form):
    """What a message really was. The intent's function becomes the main one."""

    sentiment = forms.TypedChoiceField(coerce=int, choices=[(-1, _("negative")), (0, _("neutral")), (1, _("positive"))])

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        switched_on = [(name, label) for name, label in Function.choices if name in workspace.functions]
        choices = [*switched_on, (intents.NONE, _("None of these"))]
        self._own = words.functions()
        self.fields["functions"] = forms.MultipleChoiceField(choices=choices)
        self.fields["intent"] = forms.ChoiceField(choices=list(_intent_groups(choices, self._own)), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        chosen, intent = cleaned.get("functions", []), cleaned.get("intent", "")
        if intents.NONE in chosen and len(chosen) > 1:
            raise forms.ValidationError(_("Tick either what it was about, or “None of these”."))
        if intent and chosen and self._function_of(intent) not in chosen:
            if intent != self.initial.get("intent"):
                raise forms.ValidationError(_("Choose an intent of what you have ticked."))
            cleaned["intent"] = intent = ""  # only the function was corrected: the old intent goes with it
        main = self._function_of(intent)
        cleaned["functions"] = sorted((name for name in chosen if name != intents.NONE), key=lambda name: name != main)
        return cleaned

    def _function_of(self, intent: str) -> str:
        return self._own.get(intent) or intents.function_of(intent)


def _intent_groups(functions: Iterable[tuple[str, Any]], own: Mapping[str, str]) -> Iterable[tuple[Any, Any]]:
    """The intents of each function, the workspace's own ones first."""
    yield "", _("not said")
    for function, label in functions:
        ours = [(name, name) for name, of in own.items() if of == function]
        yield label, [*ours, *intents.INTENTS[function].items()]
