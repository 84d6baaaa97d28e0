"""The parts of report.json, each made from a finished forecast and nothing else."""
