"""The store of runs: whole or absent, each file with its digest, one of them `latest`."""
