"""The one family of expected failures; `cli.main` maps each to its exit code.

A message is one line: the fact, then the next step. Anything else is a bug and keeps its
traceback.
"""

from mobilenet_edge.text import plain


class MnetError(Exception):
    """An expected failure, shown to the user as one line on stderr."""

    exit_code = 1

    def __str__(self) -> str:
        """One line that a terminal shows as it is, whatever a file or a path has put into it."""
        return plain(super().__str__())


class UsageError(MnetError):
    """An option, or a combination of options, that cannot be met."""

    exit_code = 2


class InputError(MnetError):
    """A configuration or input file, or an output place, that cannot be used."""

    exit_code = 3


class MissingExtraError(MnetError):
    """A package is needed that the installation does not have."""

    exit_code = 4

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what}; install it with: pip install 'mobilenet-edge[{extra}]'")


class BuildError(MnetError):
    """A model could not be built, folded, quantised or written, or its file did not pass the check after writing."""

    exit_code = 5


class HostError(MnetError):
    """The device could not be reached, or its worker failed."""

    exit_code = 6


class Interrupted(MnetError):
    """Ctrl-C during work that can be resumed; the message says how."""

    exit_code = 130
