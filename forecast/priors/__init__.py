"""Named beliefs: prior files ⇄ frozen specs with NumPy densities."""
