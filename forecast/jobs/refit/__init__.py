"""The scheduled job: decide whether to skip, reweight or fit, and publish."""
