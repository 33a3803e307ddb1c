"""Sets the settings of a Spark session that a session can change, and tells which ones it cannot.

Spark answers a silent request with a warning for each setting that it refuses, and sets the others. Some of the refused
ones only a cluster has, from its start, such as the memory of its driver; the value of the others does not fit.
"""

import re
from collections.abc import Iterable, Mapping

import pyspark.sql.connect.proto as proto
from pyspark.errors import IllegalArgumentException

_REFUSED = re.compile(r"Failed to set (?P<name>\S+) to .*? due to (?P<why>\[.*)", re.DOTALL)
_OF_CLUSTERS = "[CANNOT_MODIFY_"


def set_all(settings: Mapping[str, str]) -> proto.ConfigRequest.Operation:
    """Sets all *settings* that a session can change; `settings_of_clusters` tells the others from the answer."""
    pairs = [proto.KeyValue(key=key, value=value) for key, value in settings.items()]
    return proto.ConfigRequest.Operation(set=proto.ConfigRequest.Set(pairs=pairs, silent=True))


def settings_of_clusters(warnings: Iterable[str]) -> list[str]:
    """The names of the settings that only a cluster has, from the *warnings* in the answer to `set_all`.

    Raises:
        IllegalArgumentException: a value does not fit its setting.
    """
    refused = [found for found in map(_REFUSED.match, warnings) if found]
    for each in refused:
        if not each["why"].startswith(_OF_CLUSTERS):
            raise IllegalArgumentException(each["why"])
    return [each["name"] for each in refused]
