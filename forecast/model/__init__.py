"""The five models, one file each; see docs/model.md for every equation."""

from forecast.storage.caches import use_cache_folder

use_cache_folder()  # before this room imports PyTensor
