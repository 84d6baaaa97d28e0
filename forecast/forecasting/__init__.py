"""From posteriors to probabilities: driver paths, exact recursions, questions, readings, scenarios."""
