"""Figures about issues, readers and regions."""
