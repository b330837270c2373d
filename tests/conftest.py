"""Plugins with the fixtures that several kinds of tests share, and the settings of property-based tests."""

import os

from hypothesis import Phase, settings

pytest_plugins = ["tests.broker", "tests.browser"]

# Programs that tests start render on the same device as the tests themselves, even where there is a GPU.
os.environ.setdefault("AURALIS_DEVICE", "cpu")

# Every run draws the same examples, and slowness is no failure. The phase that explains failures is left
# out: before Python 3.12 it would trace every line, even of tests that pass.
_PHASES = [Phase.explicit, Phase.generate, Phase.shrink]
settings.register_profile("auralis", derandomize=True, deadline=None, phases=_PHASES)
settings.load_profile("auralis")
