"""Phone numbers as the platforms write them."""

import re


def e164(number: str) -> str:
    """A plus and the digits of a number that begins with a plus, 00 or a country's number; '' when it is none.

    One that begins with a single 0 is a number within some country, nobody says which.
    """
    written = re.sub(r"[\s().\-/]", "", number[:40])
    digits = written.removeprefix("+").removeprefix("00") if written.startswith(("+", "00")) else written
    return f"+{digits}" if re.fullmatch("[1-9][0-9]{6,14}", digits, re.ASCII) else ""
