"""Forecasts under other priors or newer data by importance weights on the draws of a run, without a fit."""
