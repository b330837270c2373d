"""Plugins with the fixtures that several kinds of tests share, and how properties are drawn."""

from hypothesis import settings

pytest_plugins = ["tests.broker", "tests.browser"]

# Every run draws the same examples, and a slow machine is no failure.
settings.register_profile("auralis", derandomize=True, deadline=None)
settings.load_profile("auralis")
