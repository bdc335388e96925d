from django import forms
from django.utils.translation import gettext_lazy as _


class PriceForm(forms.Form):
    """What an opportunity is worth."""

    amount = forms.DecimalField(label=_("Amount"), min_value=0, max_digits=14, decimal_places=2)
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=_("Currency"),
        max_length=3,
        error_messages={"invalid": _("Three capital letters, as in EUR.")},
    )
