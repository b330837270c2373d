from services.composer.balance import Balance


def test_a_debt_of_scale_tones_makes_them_fit_better():
    assert Balance(chord=100).scale_fit() > Balance().scale_fit() > Balance(chord=10, scale=20).scale_fit()


def test_foreign_tones_are_owed_more_at_high_intensity():
    assert Balance(chord=200).foreign_fit(1000) > Balance(chord=200).foreign_fit(0)


def test_a_fit_never_vanishes():
    assert Balance(chord=0, scale=1000).scale_fit() > 0


def test_old_ticks_fade_and_the_sums_stay_small():
    balance = Balance()
    for _ in range(10_000):
        balance = balance.with_sung(7, 2, 1)
    assert balance.total < 1700
