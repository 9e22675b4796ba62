from __future__ import annotations

import importlib

import pytest

from mobilenet_edge import cli

# `cli.app` is the application, of the same name as its module.
module = importlib.import_module("mobilenet_edge.cli.app")


@pytest.mark.parametrize("verb", ["profile", "setup-host"])
def test_only_the_verb_that_is_asked_for_is_built(verb):
    assert list(module._command(verb).commands) == [verb]


@pytest.mark.parametrize("word", ["", "--help", "profil"])
def test_all_verbs_are_there_for_help_and_for_a_guess(word):
    assert len(module._command(word).commands) == len(cli.app.registered_commands)
