"""Variants of MobileNet, Keras models of them, and the folded graph of a Keras file."""
