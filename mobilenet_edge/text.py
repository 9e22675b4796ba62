"""Make text from files and other machines safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text as one line of printable characters, with single spaces between words.

    The characters for which `str.isprintable` is False become spaces: line breaks, escape sequences, marks that change
    the direction of writing, and surrogates from names that are not UTF-8.
    """
    return " ".join(plain(text).split())


def printable_lines(text: str) -> str:
    """Replace the unprintable characters of several lines with spaces, but keep the line breaks."""
    return "\n".join(map(plain, text.split("\n")))


def plain(line: str) -> str:
    """Replace each unprintable character with one space."""
    return line if line.isprintable() else "".join(char if char.isprintable() else " " for char in line)
