"""Writes the model card that lies beside the pipeline."""

from __future__ import annotations

from collections.abc import Mapping

_SOURCES = (
    ("language", "pemistahl/lingua-py (test sentences)", "Apache 2.0"),
    ("sentiment", "cbaziotis/datastories-semeval2017-task4 (SemEval 2013-16)", "CC BY 3.0 by the tweet_eval data card"),
    ("sentiment", "cjhutto/vaderSentiment (tweets)", "MIT"),
    ("none", "microsoft/botframework-solutions (chit-chat)", "MIT"),
    ("none", "mohitgupta-omg/Kaggle-SMS-Spam-Collection-Dataset- (UCI, Almeida and Hidalgo)", "CC BY 4.0"),
)
_BESIDE = (
    "PolyAI-LDN/task-specific-datasets (CC BY 4.0), clinc/oos-eval (CC BY 3.0), "
    "xliuhw/NLU-Evaluation-Data (CC BY 4.0), "
    "amazon-science/dstc11-track2-intent-induction (CDLA-Permissive 2.0), "
    "awslabs/multi-domain-goal-oriented-dialogues-dataset (CDLA-Permissive 1.0), "
    "google-research-datasets/Taskmaster (CC BY 4.0), google-research-datasets/dstc8-schema-guided-dialogue "
    "(CC BY-SA 4.0), RasaHQ/chatbotsummit-workshop, RasaHQ/financial-demo, RasaHQ/helpdesk-assistant (Apache 2.0), "
    "sebischair/NLU-Evaluation-Corpora (CC BY-SA 3.0), bitext/customer-support-intent-detection-training-dataset "
    "(CDLA-Sharing 1.0), hellohaptik/HINT3 (ODbL 1.0), monologg/GoEmotions-pytorch (Apache 2.0)"
)
_CARD = """# Model card: triage {version}

Reads one customer message in English, Spanish, French, German, Portuguese, Italian or Dutch: which
function acts (marketing, sales, support, none), intent, mood, urgency, language, entities, and the words that weighed.
Logistic regressions on hashed words, word pairs and characters, and a hand-written lexicon of cues. No neural network,
no pretrained vectors, no download. Made by `python -m nlp train --data DIR --out DIR`; same data, same result.

## Taught by

- The project's own hand-written messages (`triage_train_a` to `e`) and the customers' turns of `conversations_train`.
- The phrases of the project's own lexicon (`nlp/lexicon/`), each as a small example of its function.
- Public texts; they are not in this package, their weights are:

| what | repository | licence |
|---|---|---|
{sources}

The data folder also holds the following, looked at and not used for this pipeline: {beside}.

## Measured on

`triage_dev.jsonl`, {messages:.0f} hand-written messages by other authors; nothing was trained on them. The settings of
the training (strengths, which signals) were chosen while looking at the totals on this file, so its figures are
a little kind; the English lexicon's author may have known its kind of messages.

| figure | value |
|---|---|
{figures}

`alone_at_95`: share of messages, surest first, of which 95 % are right. `function_ece` is against acceptable answers.

## Known failures

- English messages without any usual word for what they want ("size 46 never", "got any codes?") are guesses.
- Marketing against support where a campaign's mechanism fails; praise of an employee (none) against brand love.
- Sarcasm without a set phrase is read as praise. A long story is read by its words, not by its last sentence.
- Urgency 2 is found in less than half of the cases; urgency 3 rests on the safety words, and a metaphor can raise it.
- Scams and cold offers in a new wording look like support or sales.
- Other languages than the seven are "und" by their letters, or taken for the nearest of the seven.
- Products are found by the list that is given, else only by their look.
"""


def card(found: Mapping[str, float], version: str) -> str:
    """The card's text with the figures of one training."""
    return _CARD.format(
        version=version,
        sources="\n".join(f"| {what} | {repository} | {licence} |" for what, repository, licence in _SOURCES),
        beside=_BESIDE,
        messages=found["messages"],
        figures="\n".join(f"| {name} | {value:.3f} |" for name, value in found.items() if name != "messages"),
    )
