"""A connection's form, made from what its adapter asks for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_adapters.contract import ChannelAdapter


class ConnectForm(forms.Form):
    """The name of the inbox and the settings of its channel. What is filled in by a test is not asked."""

    name = forms.CharField(label=_("Name of the inbox"), max_length=120)

    def __init__(self, adapter: type[ChannelAdapter], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = adapter.label
        for setting in adapter.settings_form:
            if setting.by_hand:
                widget = forms.PasswordInput(render_value=True) if setting.secret else forms.TextInput()
                self.fields[setting.key] = forms.CharField(
                    label=setting.label,
                    help_text=setting.help,
                    required=setting.required and not setting.unless,
                    initial=setting.default,
                    widget=widget,
                )

    def given(self) -> dict[str, str]:
        """The channel's settings as they were filled in."""
        return {key: value for key, value in self.cleaned_data.items() if key != "name"}
