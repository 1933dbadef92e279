"""This machine, looked at for a program on another one that plans for it."""

from __future__ import annotations

from pathlib import Path

from harness.condition import condition
from harness.environment import environment
from harness.errors import InputError
from harness.session import Source, plan, resolve
from harness.site import Site
from harness.suite import Suite


def survey(suite: Suite, path: Path) -> Site:
    """This machine, for a program on another one that plans for it. Raises InputError as `resolve` and `plan` do.

    `path` is the suite's file, absolute. It needn't exist here, but the files of plugins and models must.
    """
    _refuse_absent(suite, path.parent)
    planned = plan(resolve(Source(suite, path, "")))
    resolved = planned.resolved
    here = environment(resolved.registry)
    return Site(
        environment={**here, "warnings": condition(here, resolved.registry)},
        plan=planned.plan,
        cuda=planned.cuda,
        models=resolved.registry.models_named(),
        plugins=resolved.identity.plugins,
    )


def _refuse_absent(suite: Suite, folder: Path) -> None:
    """Raises InputError where a file of a plugin or a model isn't on this machine."""
    models = [spec.partition("(")[0].rpartition(":")[0] for grid in suite.grid for spec in grid.models()]
    for name in (*suite.plugins, *(str(folder / place) for place in models if place.endswith(".py"))):
        if name.endswith(".py") and not Path(name).is_file():
            allowed = "needed: the same path as where the suite is run, or a module of an installed package"
            raise InputError(name, "", "there is no such file on this machine", allowed)
