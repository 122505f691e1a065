"""The tests on the lowest and the newest versions that pyproject.toml allows, on several Pythons."""
