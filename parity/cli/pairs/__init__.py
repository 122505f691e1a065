"""The commands on pairs that users bring."""
