"""What each prior, block of data and setting does to the headline, from the draws alone."""
