"""Sampling, and the gate every posterior must pass."""
