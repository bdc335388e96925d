"""What an entity means: a day in the calendar, an amount with its currency, a phone number as the world dials it.

Pure, no clock: a day is told from the time the message was written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

_MONTHS = (
    "jan enero janvier janeiro gennaio gen ene|feb febrero fevrier fevereiro febbraio fev|mar marzo mars marz marco"
    " maart maerz|apr abr avril aprile abril|may mayo mai maio maggio mei mag|jun juin giugno junho giu"
    "|jul juillet luglio julho lug|aug agosto aout ago|sep setiembre settembre setembro set"
    "|oct okt ottobre outubro out ott"
    "|nov|dec dic dez decembre dicembre dezembro dezember"
)
_DAYS = (
    "mon lunes lundi montag maandag segunda lunedi|tue martes mardi dienstag dinsdag terca martedi"
    "|wed weds miercoles mercredi mittwoch woensdag quarta mercoledi"
    "|thu jueves jeudi donnerstag donderdag quinta giovedi"
    "|fri sexta viernes vendredi freitag vrijdag sexta venerdi|sat sabado samedi samstag sonnabend zaterdag sabato"
    "|sun domingo dimanche sonntag zondag domenica"
)
_AWAY = {  # days from the message's own
    0: "today tonight hoy aujourdhui heute hoje oggi stasera vandaag vanavond vanochtend vanmiddag stamattina stanotte",
    1: "tomorrow tmrw tmr 2moro manana demain morgen amanha domani",
    2: "dayaftertomorrow pasadomanana apresdemain ubermorgen dopodomani overmorgen",
    -1: "yesterday ayer anoche hier gestern ontem ieri gisteren gisteravond",
    -2: "daybeforeyesterday anteayer avanthier vorgestern anteontem laltroieri eergisteren",
}
_PAST = re.compile(
    r"\b(?:last|pasad[oa]|derni[eè]re?|letzte[nrsm]?|passad[oa]|scors[oa]|vorige|afgelopen)\b", re.IGNORECASE
)
_NUMERIC = re.compile(r"(\d{1,2})[./-](\d{1,2})(?:[./-](\d{2,4}))?\.?")
_DAY_IN_TEXT = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|er|º|\.)?(?!\d)")
_YEAR = re.compile(r"\b(20\d\d)\b")
_AGO = re.compile(r"(\d+|an?|one|two|three|four|five|six) (day|week)s? ago", re.IGNORECASE)
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_CURRENCIES = {
    "EUR": "€ eur euro euros cent cents", "USD": "$ us$ usd dollar dollars dólares dolares dollari bucks",
    "GBP": "£ gbp pound pounds quid pence sterline libras", "CHF": "chf franken francs", "INR": "₹ inr rs rs. rupees",
    "JPY": "¥ yen jpy", "BRL": "r$ brl reais real", "PLN": "zł pln", "SEK": "sek", "NOK": "nok", "DKK": "dkk",
    "AUD": "aud a$ au$", "CAD": "cad c$ ca$", "SGD": "sgd s$", "NGN": "₦ ngn naira", "KES": "kes",
    "ZAR": "zar", "AED": "aed", "MXN": "mxn mx$", "TRY": "₺", "KRW": "₩", "PHP": "₱", "ILS": "₪",
}  # fmt: skip
_CURRENCY_OF = {sign: code for code, signs in _CURRENCIES.items() for sign in signs.split()}
_PARTS_OF_100 = {"cent", "cents", "pence"}
_AMOUNT = re.compile(r"\d[\d.,'\u00a0 ]*\d|\d")


def _numbered(names: str) -> dict[str, int]:
    return {name: at for at, group in enumerate(names.split("|"), start=1) for name in group.split()}


_MONTH_OF, _WEEKDAY_OF = _numbered(_MONTHS), _numbered(_DAYS)
_AWAY_OF = {name: away for away, names in _AWAY.items() for name in names.split()}


def value_of(kind: str, text: str, *, at: datetime | None = None, calling_code: str = "") -> str | None:
    """The entity in a form programs compare: "2026-05-03", "45.00 EUR", "+442079460958"; None when it cannot be known.

    A date needs `at`; a phone written for its own country needs that country's calling code ("44").
    """
    if kind == "date":
        found = _day(text, at.date()) if at else None
        return found.isoformat() if found else None
    if kind == "money":
        return _money(text)
    return _phone(text, calling_code) if kind == "phone" else None


def _day(text: str, today: date) -> date | None:
    plain = re.sub(r"[^a-z0-9]", "", _unaccented(text))
    if plain in _AWAY_OF:
        return today + timedelta(days=_AWAY_OF[plain])
    readers: tuple[Callable[[str, date], date | None], ...] = (_iso, _numeric, _ago, _with_month, _weekday)
    return next((found for found in (read(text, today) for read in readers) if found), None)


def _iso(text: str, today: date) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _numeric(text: str, today: date) -> date | None:
    """Day first, as all seven languages but American English write it; month first where only that is a date."""
    written = _NUMERIC.fullmatch(text.strip())
    if not written:
        return None
    one, other, year = int(written[1]), int(written[2]), written[3]
    full = None if year is None else int(year) + (2000 if len(year) == 2 else 0)
    return _nearest(one, other, full, today) or _nearest(other, one, full, today)


def _ago(text: str, today: date) -> date | None:
    said = _AGO.search(text)
    if not said:
        return None
    count = int(said[1]) if said[1].isdigit() else _NUMBERS[said[1].lower()]
    return today - timedelta(days=count * (7 if said[2].lower() == "week" else 1))


def _with_month(text: str, today: date) -> date | None:
    month = _named(text, _MONTH_OF)
    day = _DAY_IN_TEXT.search(_YEAR.sub("", text))
    year = _YEAR.search(text)
    return _nearest(int(day[1]), month, int(year[1]) if year else None, today) if month and day else None


def _weekday(text: str, today: date) -> date | None:
    """The next such day, today included; after "last" the one before today."""
    weekday = _named(text, _WEEKDAY_OF)
    if not weekday:
        return None
    ahead = (weekday - today.isoweekday()) % 7
    return today + timedelta(days=ahead - 7 if _PAST.search(text) else ahead)


def _named(text: str, names: Mapping[str, int]) -> int | None:
    words = re.findall(r"[a-z]+", _unaccented(text))
    return next((names[key] for word in words for key in (word, word[:3]) if key in names and _full(word, key)), None)


def _full(word: str, key: str) -> bool:
    """A word is a name, or an English-like name longer than its first three letters."""
    return word == key or len(word) > 3


def _nearest(day: int, month: int, year: int | None, today: date) -> date | None:
    """That day; without a year the one nearest to the message."""
    found = []
    for guess in (year,) if year else (today.year - 1, today.year, today.year + 1):
        try:
            found.append(date(guess, month, day))
        except ValueError:  # 29 February
            continue
    return min(found, key=lambda one: abs(one - today), default=None)


def _money(text: str) -> str | None:
    amount = _AMOUNT.search(text)
    signs = [sign for sign in re.findall(r"[a-zA-Z.]*[^\s\w.,'’]|[a-zA-Zà-ÿ.]+", text.lower()) if sign in _CURRENCY_OF]
    if not amount or not signs:
        return None
    number = _number(amount[0]) / (100 if signs[0] in _PARTS_OF_100 else 1)
    after = text[amount.end() :].strip().lower()
    many = next(
        (times for word, times in (("k", 1e3), ("mil", 1e3), ("mio", 1e6), ("m", 1e6)) if after.startswith(word)), 1
    )
    return f"{number * many:.2f} {_CURRENCY_OF[signs[0]]}"


def _number(written: str) -> float:
    """A sign before one or two last digits parts cents off; before three it groups thousands."""
    plain = re.sub(r"['\u00a0 ]", "", written)
    cents = re.fullmatch(r"(.*)[.,](\d{1,2})", plain)
    whole, rest = (cents[1], cents[2]) if cents else (plain, "0")
    return float(f"{re.sub(r'[.,]', '', whole) or '0'}.{rest}")


def _phone(text: str, calling_code: str) -> str | None:
    digits = re.sub(r"\D", "", re.sub(r"\(0\)", "", text))
    if text.strip().startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    return f"+{calling_code}{digits.removeprefix('0')}" if calling_code else None


def _unaccented(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(sign))
