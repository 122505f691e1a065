"""The user's source files: what is written where, and edits of their text."""
