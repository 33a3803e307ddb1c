"""Fixtures of unit tests."""

import pytest

from tests.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
