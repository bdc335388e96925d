"""A connection's form, made from what its adapter asks for."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_adapters.contract import ChannelAdapter, Setting
from channels_adapters.models import Connection
from conversations.models import Conversation, Inbox


class ConnectForm(forms.Form):
    """The name of the inbox and the settings of its channel. What is filled in by a test is not asked."""

    name = forms.CharField(label=_("Name of the inbox"), max_length=120)

    def __init__(self, adapter: type[ChannelAdapter], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = adapter.label
        for setting in adapter.settings_form:
            if setting.by_hand:
                self.fields[setting.key] = _field(setting)
                self.fields[setting.key].widget.attrs["autocomplete"] = "off"

    def given(self) -> dict[str, str]:
        """The channel's settings as they were filled in."""
        return {key: value for key, value in self.cleaned_data.items() if key != "name"}


def _field(setting: Setting) -> forms.Field:
    required = setting.required and not setting.unless
    said: dict[str, Any] = {"label": setting.label, "help_text": setting.help, "initial": setting.default}
    if setting.choices:
        return forms.ChoiceField(choices=[(each, each) for each in setting.choices], required=required, **said)
    widget = forms.PasswordInput(render_value=True) if setting.secret else forms.TextInput()
    return forms.CharField(required=required, widget=widget, **said)


class ChangeForm(ConnectForm):
    """The settings of an inbox as they are. Secrets are never shown; one left empty stays as it is."""

    def __init__(self, adapter: type[ChannelAdapter], connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(adapter, *args, **kwargs)
        settings: Mapping[str, str] = connection.settings
        self.fields["name"].required, self.fields["name"].initial = False, connection.inbox.name
        for setting in adapter.settings_form:
            field = self.fields.get(setting.key)
            if field is None:
                continue
            if setting.secret:
                field.widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
                field.widget.attrs["placeholder"] = _("as it is") if settings.get(setting.key) else ""
                field.initial, field.required = "", False
            else:
                field.initial = settings.get(setting.key) or setting.default


class TryForm(forms.Form):
    """Where a test message goes: an open conversation, or an address."""

    address = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, inbox: Inbox, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recent = Conversation.objects.open().filter(inbox=inbox)
        self.fields["conversation"] = forms.ModelChoiceField(queryset=recent, required=False)

    def clean(self) -> dict[str, Any]:
        if not self.cleaned_data.get("conversation") and not self.cleaned_data.get("address"):
            raise forms.ValidationError("nowhere")
        return self.cleaned_data
