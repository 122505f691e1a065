"""What the check says of the causes of planted bugs, held against what is true of each."""
