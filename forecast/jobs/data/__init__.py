"""The commands of `forecast data`, callable from Python."""
