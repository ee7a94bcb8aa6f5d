"""The command line, a module per family of commands: the only package that prints or exits."""

from __future__ import annotations

from harness.cli.command_line import main, run

__all__ = ["main", "run"]
