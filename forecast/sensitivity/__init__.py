"""How far the forecast depends on each prior, each part of the data and each setting."""
