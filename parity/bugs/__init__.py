"""Known bugs between twins, planted one at a time to prove that the checks can fail; and controls."""
