"""What became of a training, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from conversations.models import Training
from crm.workspace.models import Function


def words_of(training: Training) -> str:
    """One sentence: whether it was better, and if not, in what."""
    if training.state != Training.State.DONE:
        return training.problem or str(training.get_state_display())
    if not training.has_learnt:
        return _("Not more of the new lessons are right: what was in use stays.")
    if training.fell:
        names = ", ".join(map(function_label, training.fell))
        return _("%(names)s would get worse by over a point: what was in use stays.") % {"names": names}
    words = ngettext(
        "Better on %(fresh)d new lesson, and no function falls by over a point: put to use.",
        "Better on %(fresh)d new lessons, and no function falls by over a point: put to use.",
        training.fresh,
    )
    return words % {"fresh": training.fresh}


def function_label(name: str) -> str:
    return str(Function(name).label) if name in Function.values else _("No record")


def figure_label(name: str) -> str:
    """What a figure of a comparison measures."""
    if name == "corrections":
        return _("New lessons that are right")
    if name == "function_macro_f1":
        return _("All functions together")
    return function_label(name)
