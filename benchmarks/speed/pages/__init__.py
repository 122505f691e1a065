"""The pages made of a record of speed, with their figures and tables, and the comparison of two records."""
