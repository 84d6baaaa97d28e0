"""From a finished forecast to the report: each part is made from the forecast and nothing else."""
