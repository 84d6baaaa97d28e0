"""Adding rows by hand: prompts, defaults, possible duplicates, a preview, and the edit of the CSV file."""
