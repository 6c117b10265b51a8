"""What a process uses of what it may use."""
