"""The command line: ``auralis <command>``."""

from auralis.cli.app import main

__all__ = ["main"]
