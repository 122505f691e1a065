"""The search for a cause: edits of one operation of a side, each tried on the numbers, and printed where it closes the gap."""
