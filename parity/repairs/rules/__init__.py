"""The rules by which a proven cause becomes an edit of a source."""
