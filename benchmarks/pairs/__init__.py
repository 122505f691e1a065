"""Networks that others wrote: checked as pairs, and what such a check costs."""
