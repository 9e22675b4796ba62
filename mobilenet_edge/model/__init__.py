"""Keras models, and the folded graph made from them. The only leg that needs TensorFlow."""
