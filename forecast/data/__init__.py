"""The bundled record: one reader a kind of file, validated tables, and the one selection by when a thing was known.

`read.read_data(folder)` gives a `tables.Data` or refuses with every problem found; `select.as_of` is what was public on a day.
"""
