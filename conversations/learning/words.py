"""A workspace's own intents: added, changed and removed without code. They take effect with the next training."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

import nlp
from conversations.errors import ConversationError
from conversations.models import OwnWord
from conversations.text import clean
from crm.workspace.events import change
from crm.workspace.models import Membership

MOST = 50  # own intents of a workspace
MOST_EXAMPLES = 500
LENGTH = 500  # characters of an example


class CannotLearn(ConversationError):
    """Says what to change."""


def intents() -> list[nlp.OwnIntent]:
    """The workspace's own intents, as the pipeline's teacher takes them."""
    return [intent_of(word) for word in OwnWord.objects.all()]


def intent_of(word: OwnWord) -> nlp.OwnIntent:
    return nlp.OwnIntent(word.name, word.function, tuple(word.phrases), tuple(word.examples))


def functions() -> dict[str, str]:
    """Own intent -> its function."""
    return dict(OwnWord.objects.order_by("name").values_list("name", "function"))


def keep(
    *, by: Membership, name: str, function: str, phrases: Sequence[str], examples: Sequence[str], word: OwnWord | None
) -> OwnWord:
    """The intent is kept, new (`word` None) or in place of `word`. Raises CannotLearn."""
    kept = word or OwnWord(workspace=by.workspace, member=by)
    kept.name, kept.function = " ".join(clean(name).split()), function
    kept.phrases = _lines(phrases)
    kept.examples = [nlp.redact(text[:LENGTH]) for text in _lines(examples)]
    _check(kept)
    with change(by.workspace, actor=by, cause="page") as event:
        kept.save()
        event.record("own_word.kept", kept, changed={"name": [None, kept.name]})
    return kept


def add_example(word: OwnWord, text: str, *, by: Membership) -> OwnWord:
    """The intent has one more example."""
    given = {"name": word.name, "function": word.function, "phrases": word.phrases}
    return keep(by=by, examples=[*word.examples, text], word=word, **given)


def remove(word: OwnWord, *, by: Membership) -> None:
    """The intent is forgotten with the next training."""
    with change(by.workspace, actor=by, cause="page") as event:
        event.record("own_word.removed", word, changed={"name": [word.name, None]})
        word.delete()


def _lines(texts: Sequence[str]) -> list[str]:
    told = (" ".join(clean(text).split()) for text in texts)
    return list(dict.fromkeys(text for text in told if text))


def _check(word: OwnWord) -> None:
    try:
        intent_of(word).checked()
    except nlp.BadLesson as error:
        raise CannotLearn(str(error)) from error
    others = OwnWord.objects.exclude(pk=word.pk)
    if others.filter(name__iexact=word.name).exists():
        raise CannotLearn(_("You have an intent of that name: change that one, or choose another name."))
    if others.count() >= MOST:
        raise CannotLearn(_("That is more than %(most)d own intents: remove one first.") % {"most": MOST})
    if len(word.examples) > MOST_EXAMPLES:
        raise CannotLearn(_("Keep the %(most)d examples that tell most.") % {"most": MOST_EXAMPLES})
