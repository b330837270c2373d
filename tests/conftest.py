"""Plugins with the fixtures that several kinds of tests share."""

pytest_plugins = ["tests.broker", "tests.browser"]
