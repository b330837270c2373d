"""Plugins with the fixtures that several kinds of tests share, and how properties are drawn."""

import os

from hypothesis import Phase, settings

pytest_plugins = ["tests.broker", "tests.browser"]

# The programs that tests start render where the tests themselves do, also where there is a GPU.
os.environ.setdefault("AURALIS_DEVICE", "cpu")

# Every run draws the same examples, and a slow machine is no failure. Explanations of failures would trace
# every line before Python 3.12, even of tests that pass.
_PHASES = [Phase.explicit, Phase.generate, Phase.shrink]
settings.register_profile("auralis", derandomize=True, deadline=None, phases=_PHASES)
settings.load_profile("auralis")
