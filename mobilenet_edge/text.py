"""Text from outside, such as a name in somebody else's file, made safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Keep to one line of printable characters, single spaces between the words.

    What a terminal would obey or a table would break at goes: line breaks, escape sequences, marks that turn the
    direction of writing (as `str.isprintable` has it), and half characters of a name that is no UTF-8.
    """
    return " ".join(plain(text).split())


def printable_lines(text: str) -> str:
    """Do the same for a text of several lines; line breaks and the width of what stands in them are kept."""
    return "\n".join(map(plain, text.split("\n")))


def plain(line: str) -> str:
    """Put a space in the place of each character that `printable` takes out, so that the width stays."""
    return line if line.isprintable() else "".join(each if each.isprintable() else " " for each in line)
