"""A bundle (`databricks.yml` and what it includes), read, resolved for one target, checked and frozen.

    bundle = load_bundle(project, target="dev", variables={"scale": "5000"})
    job = bundle.job("daily")

`load_settings` stops before the jobs, which is enough to know the target and its catalog.
"""

from lakelocal.bundle.load import load_bundle, load_settings, target_names
from lakelocal.lakeflow.model import Bundle, BundleSettings, Dependency, Job, Task

__all__ = ["Bundle", "BundleSettings", "Dependency", "Job", "Task", "load_bundle", "load_settings", "target_names"]
