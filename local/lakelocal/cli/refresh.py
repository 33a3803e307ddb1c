"""The options of `run` for a pipeline: what its update refreshes, under the names of `databricks bundle run`."""

import argparse
from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING

from lakelocal.errors import UsageError

if TYPE_CHECKING:
    from lakelocal.bundle import Bundle

_REFRESH = ("refresh", "full_refresh", "refresh_all", "full_refresh_all", "validate_only")


def add_refresh(command: argparse.ArgumentParser) -> None:
    """Add the options for an update of a pipeline, under the names of `databricks bundle run`."""
    group = command.add_argument_group("a pipeline, instead of a job")
    group.add_argument("--refresh", metavar="TABLES", help="update these tables only: a,b")
    group.add_argument("--full-refresh", metavar="TABLES", help="clear these tables and rebuild them: a,b")
    group.add_argument("--refresh-all", action="store_true", help="update all tables, as without any of these options")
    group.add_argument("--full-refresh-all", action="store_true", help="clear all tables and rebuild them")
    group.add_argument("--validate-only", action="store_true", help="check the sources; nothing is written")


def with_refresh(bundle: "Bundle", options: Namespace) -> "Bundle":
    """*bundle*, whose pipeline that is run is refreshed as the *options* say.

    Raises:
        UsageError: two of them exclude each other, or there is no such pipeline.
    """
    given = [name for name in _REFRESH if getattr(options, name)]
    if not given:
        return bundle
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
    if options.job not in bundle.pipelines or options.job in bundle.jobs:
        raise UsageError(f"run {options.job or ''}: found {flags}, which only a pipeline takes. Leave it out.")
    if len(given) > 1 and set(given) != {"refresh", "full_refresh"}:
        raise UsageError(f"run {options.job}: found {flags}; expected one of them. Leave the others out.")
    fields = {
        "refresh_selection": _names(options.refresh),
        "full_refresh_selection": _names(options.full_refresh),
        "full_refresh": options.full_refresh_all,
        "validate_only": options.validate_only,
    }
    from lakelocal.lakeflow.pipeline_updates import update_job  # the command line is read before bundles are

    job = update_job(bundle.pipelines[options.job], fields)
    return replace(bundle, updates={**bundle.updates, options.job: job})


def _names(given: str | None) -> list[str]:
    return [name.strip() for name in (given or "").split(",") if name.strip()]
