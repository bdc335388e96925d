"""Mood: one figure from -1 to 1 for a conversation or a customer, from the sentiment of their messages."""

NEWEST_WEIGHS = 0.6
UNHAPPY, HAPPY = -0.2, 0.2  # below and above these, a mood is shown as negative or positive


def after(mood: float | None, score: float) -> float:
    """The mood after one more message: 0.6 of its score and 0.4 of the mood before it."""
    if mood is None:
        return round(score, 4)
    return round(NEWEST_WEIGHS * score + (1 - NEWEST_WEIGHS) * mood, 4)


def word(mood: float | None) -> str:
    """`negative`, `neutral` or `positive`; '' when nothing is known."""
    if mood is None:
        return ""
    return "negative" if mood < UNHAPPY else "positive" if mood > HAPPY else "neutral"
