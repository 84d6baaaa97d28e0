"""Sampling, and the gate every posterior must pass."""

from forecast.storage.caches import use_writable_caches

use_writable_caches()  # before this room imports PyTensor
