"""Tests of a bundle's jobs and notebooks: they run as they are deployed, and the test looks at the results.

`plugin` is the pytest plugin that comes with the package: the fixture `lakeflow` and its options. `lakeflow` contains
the object that the fixture returns, which does not need pytest.
"""
