"""The search for a cause: edits of single operations, each tried on the numbers, and said where it closes the gap."""
