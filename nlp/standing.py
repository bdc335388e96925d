"""How sure and how right the shipped pipeline is on the standing messages, read by pipelines that never saw them.

The file lies beside the pipeline and is written by its training. It holds no text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .calibration import Answer

_NAME = "standing_answers.json"
_SHIPPED = Path(__file__).parent / "pipeline"  # as in assembly.py, which loads spaCy


@cache
def standing_answers() -> tuple[Answer, ...]:
    """(how sure, whether that was right) for each standing message."""
    kept = json.loads((_SHIPPED / _NAME).read_text(encoding="utf-8"))
    return tuple((confidence, bool(is_right)) for confidence, is_right in kept)


def write_answers(pipeline: Path, answers: Sequence[Answer]) -> None:
    """The folder of a pipeline holds these for `standing_answers`."""
    rows = ",\n".join(f"[{confidence:.4f}, {int(is_right)}]" for confidence, is_right in answers)
    (pipeline / _NAME).write_text(f"[\n{rows}\n]\n", encoding="utf-8")
