"""What edited priors do to a finished forecast, from its draws alone."""
