"""The five models, one file each; see docs/model.md for every equation."""
