"""What days, amounts and phone numbers mean."""

from datetime import UTC, datetime

import pytest

from nlp.values import value_of

SUNDAY = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, day",
    [
        ("today", "2026-11-22"),
        ("mañana", "2026-11-23"),
        ("übermorgen", "2026-11-24"),
        ("aujourd'hui", "2026-11-22"),
        ("ieri", "2026-11-21"),
        ("Friday", "2026-11-27"),
        ("last Friday", "2026-11-20"),
        ("Sunday", "2026-11-22"),
        ("vrijdag", "2026-11-27"),
        ("sexta-feira", "2026-11-27"),
        ("3 May", "2027-05-03"),
        ("14 de febrero", "2027-02-14"),
        ("2. Januar", "2027-01-02"),
        ("le 5 août", "2026-08-05"),
        ("March 3rd, 2025", "2025-03-03"),
        ("05.12.2026", "2026-12-05"),
        ("12/24", "2026-12-24"),
        ("2026-01-31", "2026-01-31"),
        ("two weeks ago", "2026-11-08"),
    ],
)
def test_a_day_is_told_from_the_messages_time(text, day):
    assert value_of("date", text, at=SUNDAY) == day


@pytest.mark.parametrize("text", ["christmas sale", "summer", "99/99", "31.02."])
def test_a_day_that_cannot_be_known_stays_unknown(text):
    assert value_of("date", text, at=SUNDAY) is None


def test_without_a_time_no_day_is_guessed():
    assert value_of("date", "today") is None


@pytest.mark.parametrize(
    "text, amount",
    [
        ("€45", "45.00 EUR"),
        ("1.250,50 €", "1250.50 EUR"),
        ("$1,250.50", "1250.50 USD"),
        ("1 200 euros", "1200.00 EUR"),
        ("49,99€", "49.99 EUR"),
        ("R$ 30", "30.00 BRL"),
        ("£5k", "5000.00 GBP"),
        ("20 quid", "20.00 GBP"),
        ("99 cents", "0.99 EUR"),
        ("Rs 500", "500.00 INR"),
    ],
)
def test_an_amount_has_its_currency(text, amount):
    assert value_of("money", text) == amount


@pytest.mark.parametrize("text", ["300", "zwanzig euro"])
def test_an_amount_without_currency_or_digits_stays_unknown(text):
    assert value_of("money", text) is None


@pytest.mark.parametrize(
    "text, code, dialled",
    [
        ("+44 20 7946 0958", "", "+442079460958"),
        ("0049 (0)151 5550 8821", "", "+4915155508821"),
        ("0151 5550 8821", "49", "+4915155508821"),
        ("(555) 010-2233", "1", "+15550102233"),
    ],
)
def test_a_phone_number_is_dialled_from_everywhere(text, code, dialled):
    assert value_of("phone", text, calling_code=code) == dialled


def test_a_phone_number_of_an_unknown_country_stays_unknown():
    assert value_of("phone", "0151 5550 8821") is None


def test_other_entities_have_no_other_value():
    assert value_of("order_number", "KL-88213") is None
