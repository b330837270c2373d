"""Whether the broker can be reached."""

from structlog.testing import capture_logs

from services.gateway.broker_health import SILENT_S, BrokerHealth


class Time:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_unknown_until_it_has_answered() -> None:
    health = BrokerHealth(Time())
    assert not health.reachable
    health.answered()
    assert health.reachable


def test_an_answer_is_good_for_a_while() -> None:
    time = Time()
    health = BrokerHealth(time)
    health.answered()
    time.now_s += SILENT_S - 0.1
    assert health.reachable
    time.now_s += 0.2
    assert not health.reachable


def test_going_and_coming_back_are_each_said_once() -> None:
    """Ten failures per second are reported in a single line."""
    health = BrokerHealth(Time())
    with capture_logs() as lines:
        for _ in range(20):
            health.failed(ConnectionRefusedError("refused"))
        health.answered()
        health.answered()
    assert [line["log_level"] for line in lines] == ["warning", "info"]
    assert lines[0]["reason"] == "refused"
