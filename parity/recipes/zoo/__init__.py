"""The recipes beyond the study, one file each: the networks that comparisons of frameworks are about."""
