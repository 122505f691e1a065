"""Why two networks differ: the first difference, settings that differ, and what the numbers themselves say."""
