"""Official sources: one file a publisher, one way to the network, one way into the data.

`catalogue.py` lists the connectors; `web.py` is the only file that opens a connection; `vintage.py` decides what is new and whether it can
be true; `admit.py` writes it. docs/sources.md says how to add a publisher.
"""
