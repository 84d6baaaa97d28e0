"""The benchmarks: `make bench`. Nothing of this is an ordinary test, but for the arithmetic."""
