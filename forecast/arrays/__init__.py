"""NumPy only: the mathematics beneath the models, without a word about files or samplers."""
