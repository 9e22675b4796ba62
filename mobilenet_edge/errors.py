"""Define the expected failures, each with the exit code of `mnet`.

A message is one line: the fact, then the next step. Any other exception is a bug and keeps its traceback.
"""

from mobilenet_edge.text import plain


class MnetError(Exception):
    """An expected failure, shown to the user as one line on stderr."""

    exit_code = 1

    def __str__(self) -> str:
        """Return the message without control characters, which names from files may contain."""
        return plain(super().__str__())


class UsageError(MnetError):
    """An option or a combination of options is not valid."""

    exit_code = 2


class InputError(MnetError):
    """A configuration file, an input file or an output path cannot be used."""

    exit_code = 3


class MissingExtraError(MnetError):
    """A required package is not installed.

    Args:
        what: What needs the package, as the first part of the message.
        extra: The extra of mobilenet-edge that installs it.
    """

    exit_code = 4

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what}; install it with: pip install 'mobilenet-edge[{extra}]'")


class BuildError(MnetError):
    """A model could not be built, folded, quantised or written, or its file failed verification."""

    exit_code = 5


class HostError(MnetError):
    """The device could not be reached, or its worker failed."""

    exit_code = 6


class Interrupted(MnetError):
    """Ctrl-C was pressed during work that can be resumed; the message gives the command."""

    exit_code = 130
