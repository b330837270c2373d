"""How long values are kept."""

from services.synth.mix.recent import Recent


def test_what_a_round_needed_is_kept_for_thirty() -> None:
    """A value that is needed again is kept for thirty more."""
    kept: Recent[str, int | None] = Recent()
    kept.keep("once", 1)
    kept.keep("often", 2)
    for round_ in range(29):
        kept.next_round()
        if round_ == 20:
            kept.keep("often", 2)
    assert (kept.get("once"), kept.get("often"), len(kept)) == (1, 2, 2)
    kept.next_round()
    assert (kept.get("once"), kept.get("often"), "once" in kept) == (None, 2, False)
    for _ in range(30):
        kept.next_round()
    assert len(kept) == 0


def test_none_is_a_value_that_can_be_kept() -> None:
    """Such as for a note that can't be played."""
    kept: Recent[str, int | None] = Recent()
    kept.keep("silent", None)
    assert "silent" in kept
    assert kept.get("silent") is None
