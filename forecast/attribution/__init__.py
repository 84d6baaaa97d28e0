"""Which changes of data and priors moved the forecast from one run to the next."""
