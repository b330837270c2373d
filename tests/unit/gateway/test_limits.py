"""How much one gateway and one address may use."""

from services.gateway.limits import Admission, RateLimit, Refused


class Time:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_listeners_are_bounded_in_all() -> None:
    admission = Admission(2, 2)
    assert [admission.admit(address) for address in "abc"] == [None, None, Refused.FULL]
    admission.leave("a")
    assert admission.admit("c") is None
    assert admission.listeners == 2


def test_listeners_are_bounded_by_address() -> None:
    admission = Admission(10, 2)
    assert [admission.admit("a") for _ in range(3)] == [None, None, Refused.ADDRESS_FULL]
    assert admission.admit("b") is None


def test_a_refused_listener_is_not_counted() -> None:
    admission = Admission(1, 1)
    admission.admit("a")
    admission.admit("b")
    admission.leave("a")
    assert admission.listeners == 0
    assert not admission._by_address


def test_a_burst_and_then_a_rate() -> None:
    """A hundred at once, then twenty per second; the result says how long to wait."""
    time = Time()
    limit = RateLimit(time)
    assert [limit.take("a") for _ in range(100)] == [0.0] * 100
    assert limit.take("a") == 0.05
    time.now_s = 1.0
    assert [limit.take("a") > 0 for _ in range(21)] == [False] * 20 + [True]


def test_addresses_do_not_share() -> None:
    limit = RateLimit(Time(), burst=1)
    assert (limit.take("a"), limit.take("b")) == (0.0, 0.0)
    assert limit.take("a") > 0


def test_rested_addresses_are_forgotten() -> None:
    """Memory does not grow with every address ever seen."""
    time = Time()
    limit = RateLimit(time)
    for number in range(30_000):
        time.now_s += 0.001
        limit.take(str(number))
    assert len(limit._levels) <= 10_000
    time.now_s += 60
    for _ in range(20_000):
        limit.take("last")
    assert len(limit._levels) == 1
