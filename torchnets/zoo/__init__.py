"""The networks beyond the study: those that comparisons of frameworks are about."""
