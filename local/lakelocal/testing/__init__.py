"""Tests of a bundle's jobs and notebooks: they run as they are deployed, and a test looks at what they left.

`plugin` is the pytest plugin that comes with the package: the fixture `lakeflow` and its options. `lakeflow` has what
the fixture gives, which needs no pytest.
"""
