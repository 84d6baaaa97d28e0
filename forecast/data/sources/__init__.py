"""Official sources.

`registry.py` lists the connectors. `http_client.py` is the only file that opens a connection. `new_vintage.py` decides which figures are
new and whether they are plausible. `fetch_source.py` writes them. docs/sources.md says how to add a publisher.
"""
