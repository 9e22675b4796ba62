"""Stages of a sweep: what there is to do, what is done already, and why not.

A stage is fresh as long as everything that went into it is the same and its files are as it left them. That is decided
by content, never by the age of a file, so a sweep can be killed at any moment and started again.
"""
