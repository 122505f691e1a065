"""What is made of a record of speed: the page, its figures and tables, and what has changed between two records."""
