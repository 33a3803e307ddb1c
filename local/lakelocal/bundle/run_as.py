"""`run_as` of a bundle: it names one identity, and some resources are deployed only for whoever deploys.

Source: the Databricks CLI, `bundle/config/mutator/resourcemutator/run_as.go`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from lakelocal.bundle.documents import YamlMapping, place_of
from lakelocal.bundle.workspace import USER_VARIABLE
from lakelocal.lakeflow.field_values import as_switch
from lakelocal.lakeflow.findings import Findings

_IDENTITIES = ("user_name", "service_principal_name")
_NOT_FOR_OTHERS = ("model_serving_endpoints", "quality_monitors", "dashboards", "apps")


def check_run_as(tree: YamlMapping, findings: Findings) -> None:
    """Add to *findings* what is wrong with the `run_as` of *tree*."""
    if "run_as" not in tree or as_switch((tree.get("experimental") or {}).get("use_legacy_run_as")):
        return
    run_as = tree.get("run_as") or {}
    named = [name for name in _IDENTITIES if isinstance(run_as, Mapping) and run_as.get(name)]
    where = findings.at(place_of(tree, ("run_as",), tree.place), path=("run_as",))
    if len(named) != 1:
        found = "`run_as` with " + ("both" if named else "neither of") + " `user_name` and `service_principal_name`"
        findings.add("run-as", found, "exactly one of them, with a value", "Correct it.", where)
        return
    identity, deployer = run_as[named[0]], tree["workspace"]["current_user"]["userName"]
    kinds = ", ".join(f"`{kind}`" for kind in _only_for_the_deployer(tree))
    if kinds and identity != deployer:
        found = f"{kinds} and `run_as: {identity}`, while the user is `{deployer}` ({USER_VARIABLE} sets another)"
        expected = "the user who deploys, since the CLI deploys these for nobody else"
        findings.add("run-as-deployer", found, expected, "Correct the identity, or deploy as it.", where)


def _only_for_the_deployer(tree: YamlMapping) -> Iterator[str]:
    """The kinds of resources in *tree* that run as nobody but their deployer; dashboards with credentials of theirs."""
    for kind in _NOT_FOR_OTHERS:
        resources: Mapping[str, Any] = (tree.get("resources") or {}).get(kind) or {}
        if kind == "dashboards":
            resources = {k: each for k, each in resources.items() if as_switch((each or {}).get("embed_credentials"))}
        if resources:
            yield kind
