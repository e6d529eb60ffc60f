"""The pages of the program on the web."""
