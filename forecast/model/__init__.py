"""The five models, one file each; see docs/model.md for every equation."""

from forecast.storage.caches import use_writable_caches

use_writable_caches()  # before this room imports PyTensor
