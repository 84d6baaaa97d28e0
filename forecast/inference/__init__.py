"""Sampling, and the gate every posterior must pass."""

from forecast.storage.caches import use_cache_folder

use_cache_folder()  # before this room imports PyTensor
