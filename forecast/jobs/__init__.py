"""What a command does, end to end, callable from Python."""
