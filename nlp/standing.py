"""How sure and how right the shipped pipeline is on the standing messages, read by pipelines that never saw them.

The file is made by `python -m nlp crossvalidate --data DIR --answers nlp/standing_answers.json` from the hand-written
messages of the data folder, after a training that changed the figures. It holds no text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .calibration import Answer

KEPT = Path(__file__).parent / "standing_answers.json"


@cache
def standing_answers() -> tuple[Answer, ...]:
    """(how sure, whether that was right) for each standing message."""
    return tuple((confidence, bool(is_right)) for confidence, is_right in json.loads(KEPT.read_text(encoding="utf-8")))


def write_answers(path: Path, answers: Sequence[Answer]) -> None:
    """The file that `standing_answers` reads holds these."""
    rows = ",\n".join(f"[{confidence:.4f}, {int(is_right)}]" for confidence, is_right in answers)
    path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
