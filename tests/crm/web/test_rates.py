from limits import RateLimitItemPerMinute

from crm.web.rates import Rates

TWICE = RateLimitItemPerMinute(2)


def test_too_many_are_refused_and_others_go_on():
    rates = Rates("test")
    rates.forget()

    assert [rates.hit(TWICE, "ada") for _ in range(3)] == [True, True, False]
    assert rates.hit(TWICE, "ben")
    assert not rates.test(TWICE, "ada")


def test_two_purposes_do_not_share_their_counts():
    one, other = Rates("one"), Rates("other")
    one.forget()

    assert [one.hit(TWICE, "ada") for _ in range(3)][-1] is False
    assert other.hit(TWICE, "ada")


def test_redis_that_is_away_refuses_nobody_and_this_process_counts(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    rates = Rates("away")

    assert [rates.hit(TWICE, "ada") for _ in range(3)] == [True, True, False]
