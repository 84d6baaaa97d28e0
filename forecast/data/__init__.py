"""The data: read strictly, checked, and selected by what was public on a day.

`read.read_data(folder)` returns a `tables.Data` or raises InputError with every problem; `as_of.as_of` gives what was public on a day.
"""
