"""What TensorFlow Lite for Microcontrollers takes, the C++ that feeds it, and the boards that it must fit."""
