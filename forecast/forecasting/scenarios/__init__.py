"""What-if scenarios: their files, how plausible they are, and the forecast under them."""
