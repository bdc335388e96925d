"""How long an adapter waits for a fake: shortly where it never answers, else longer than a busy machine may stall."""

_SHORT, _LONG = 1.5, 30.0  # seconds


def patience(how):
    return _SHORT if how == "hang" else _LONG
