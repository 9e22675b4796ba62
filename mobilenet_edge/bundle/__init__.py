"""Write folders that work without mnet: the model, a program made for its pixels, and a test of both."""
