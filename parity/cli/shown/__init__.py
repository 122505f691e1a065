"""What a command shows of its progress."""
