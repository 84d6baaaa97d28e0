"""The disk: reading what may be anything, writing so that nothing is lost, locks. No room below knows what the bytes mean."""
