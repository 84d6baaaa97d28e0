"""Files on the disk: bounded reads, atomic writes, locks and temporary folders. Nothing here knows what the bytes mean."""
