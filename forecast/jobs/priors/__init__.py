"""The commands of `forecast priors`, callable from Python."""
