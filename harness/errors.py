"""Every error that this project raises on purpose, each class with the exit code it ends in."""

from __future__ import annotations

from typing import ClassVar

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


class HarnessError(Exception):
    """An error told to the user as one line, without a traceback."""

    exit_code: ClassVar[int] = 5


class ConfigurationError(HarnessError):
    """An argument or a file is wrong; the text says where, what, and what would be right."""

    exit_code = 2


class NotReducibleError(ConfigurationError):
    """A failure is one of the case as it stands: of no smaller model can be said what is right."""


class NothingSelectedError(HarnessError):
    """What was asked for names no case or no cell."""

    exit_code = 3


class EnvironmentUnusableError(HarnessError):
    """A cell's environment cannot be made, or what stands in it is not the build that was asked."""

    exit_code = 4


class HarnessFaultError(HarnessError):
    """Our own bug: it never counts for or against a build."""

    exit_code = 5
