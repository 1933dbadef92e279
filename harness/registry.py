"""The registry of methods, backends, problems, schemes and sections of the page, both built-in and from plugins.

A plugin is a module. The registry takes every final subclass of AbstractGradientMethod, AbstractBackend,
AbstractProblem, AbstractScheme and AbstractSection that the module defines, and registers it under its `name`. If the
module is a package, the registry also looks at its submodules, except those whose name starts with an underscore.
Modules come from the entry-point groups `harness.methods`, `harness.problems`, `harness.schemes` and
`harness.sections`, which the built-in modules use too, and from the list `plugins:` of a suite.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias, TypeGuard, TypeVar

from harness.backend import AbstractBackend, UndeclaredBackend
from harness.backend_facts import BackendFacts
from harness.case import Case
from harness.errors import InputError, described, one_of, shown
from harness.file_module import module_of
from harness.installed import installed
from harness.method import AbstractGradientMethod
from harness.models.facts import ModelFacts
from harness.plugin_checks import check_class, check_pairs, check_work, guarded
from harness.problem import AbstractProblem
from harness.scheme import AbstractScheme
from harness.section import AbstractSection
from harness.spec import canonical, is_spec, left_open, options_of, parse, split

T = TypeVar("T")
Parameters: TypeAlias = dict[str, Any]
"""The parameters of a problem, by name: the fields that its class adds."""
GROUPS = ("harness.methods", "harness.problems", "harness.schemes")
SECTIONS = "harness.sections"
PROBLEM_FIELDS = ("noise", "calculus", "dim", "values")
"""The fields that every problem has. They aren't parameters."""


class Registry:
    """Everything that a suite can name, and the backends of the methods.

    Methods, backends and schemes are stateless instances. Problems are classes.
    """

    def __init__(self) -> None:
        self.methods: dict[str, AbstractGradientMethod] = {}
        self._backends: dict[str, AbstractBackend] = {}
        self.problems: dict[str, type[AbstractProblem]] = {}
        self.schemes: dict[str, AbstractScheme] = {}
        self._sections: dict[str, AbstractSection] = {}
        self._methods: dict[str, AbstractGradientMethod] = {}
        self._parsed: dict[str, tuple[type[AbstractProblem], Parameters]] = {}
        self._named: dict[str, tuple[str, ...]] = {}
        self.models: dict[str, ModelFacts] = {}
        """The facts about the user's own models that a suite names, by the name in a case."""

    def add_models(self, found: Mapping[str, Mapping[str, ModelFacts]]) -> None:
        """Add models. The outer key is the text in the suite, the inner key the name in a case."""
        for spec, models in found.items():
            self._named[spec] = tuple(models)
            self.models |= models

    def models_named(self) -> dict[str, dict[str, ModelFacts]]:
        """The models that were added, in the form that `add_models` takes."""
        return {spec: {name: self.models[name] for name in names} for spec, names in self._named.items()}

    @classmethod
    def load(cls, plugins: Sequence[str] = (), source: object = "") -> Registry:
        """A registry of everything installed, and of the modules and files in `plugins`.

        `source` is the file that names the plugins, for messages. Raises InputError if a plugin can't be loaded.
        """
        registry = cls()
        for group in GROUPS:
            registry._add_group(group)
        if not registry.methods:
            raise InputError("harness", "", "no methods found: the package isn't installed", "run pip install -e .")
        for plugin in dict.fromkeys(plugins):
            try:
                registry._add_plugin(plugin)
            except InputError as error:
                if not source:
                    raise
                raise InputError(source, "plugins", str(error)) from error
        return registry

    def sections(self) -> list[AbstractSection]:
        """The sections of the page, in their order. Imports their modules, which need pandas.

        Raises InputError if one can't be loaded.
        """
        self._add_group(SECTIONS)
        if not self._sections:
            fault = "no sections of the page found: the package isn't installed, or an older version is"
            raise InputError("harness", "", fault, "run pip install -e .")
        return sorted(self._sections.values(), key=lambda section: (section.order, section.name))

    def _add_group(self, group: str) -> None:
        for entry in installed(group):
            where = f"entry point {entry.name} of {group}"
            self.add_module(_guarded(where, "", entry.load), where)

    def _add_plugin(self, plugin: str) -> None:
        module = _guarded(plugin, "", lambda: _import_plugin(plugin))
        known = set(self._backends)
        if not self.add_module(module, plugin):
            raise InputError(plugin, "", "it defines no gradient method, backend, problem, scheme or section")
        for name in self._backends.keys() - known:
            self._check_backend(self._backends[name], plugin)

    def _check_backend(self, backend: AbstractBackend, where: str) -> None:
        """Refuse a backend that names an unknown method. The page would otherwise silently lack a ratio."""
        pairs = [("comparable", name) for pair in backend.pairs() for name in pair]
        baselines = [(key, name) for key in ("floor", "forward") if (name := getattr(backend, key))]
        for key, name in [*pairs, *baselines]:
            if name not in self.methods:
                raise InputError(
                    where, f"{type(backend).__name__}.{key}", f"{shown(name)} is no method", one_of(self.methods, name)
                )

    def add_module(self, module: ModuleType, where: str) -> int:
        """Register the classes of a module and of its public submodules. Return their number."""
        found = [item for item in vars(module).values() if _is_public(item, module)]
        count = sum(_guarded(where, item.__name__, lambda item=item: self.add(item, where)) for item in found)
        for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
            if not info.name.startswith("_"):
                name = f"{module.__name__}.{info.name}"
                count += self.add_module(_guarded(where, "", lambda name=name: importlib.import_module(name)), where)
        return count

    def add(self, item: type, where: str) -> bool:
        """Register a class if its kind is known; return whether it is. Raises InputError if its name is taken."""
        tables: tuple[tuple[type, dict[str, Any]], ...] = (
            (AbstractGradientMethod, self.methods),
            (AbstractBackend, self._backends),
            (AbstractProblem, self.problems),
            (AbstractScheme, self.schemes),
            (AbstractSection, self._sections),
        )
        made: Any = item
        for base, table in tables:
            if issubclass(item, base):
                check_class(item, base, where)
                known = table.get(made.name)
                for key, default in options_of(item).items():
                    if key in item.__dict__ and item.__dict__[key] != default and default is not dataclasses.MISSING:
                        fault = f"{item.__name__} sets {key} and must be a dataclass for that"
                        raise InputError(where, "", fault, "decorate it with @dataclass(frozen=True, kw_only=True)")
                if known is not None and _class(known) is not item:
                    raise InputError(where, "", f"the name {made.name!r} is taken", "choose another")
                new: Any = made if base is AbstractProblem else made()
                table[made.name] = new
                if isinstance(new, AbstractScheme):
                    check_work(new, where)
                elif isinstance(new, AbstractBackend):
                    check_pairs(new, where)
                self._parsed.clear()
                self._methods.clear()
                return True
        return False

    @property
    def backends(self) -> dict[str, AbstractBackend]:
        """All declared backends, and one with default values for each other backend that a method's name mentions."""
        undeclared: dict[str, AbstractBackend] = {}
        for name, method in self.methods.items():
            backend = name.partition("/")[0]
            if backend not in self._backends and backend not in undeclared:
                own = self._backends.get(method.framework)
                undeclared[backend] = UndeclaredBackend(backend, method.framework, own)
        return self._backends | undeclared

    def backend_facts(self) -> dict[str, BackendFacts]:
        """For each backend, by name, what a report needs."""
        backends = self.backends
        facts: dict[str, BackendFacts] = {}
        for name, backend in backends.items():
            own = self._backends.get(backend.framework)
            floor = backend.floor or (own.floor if own is not None else None)
            forward = backend.forward or (own.forward if own is not None else None)
            facts[name] = BackendFacts(floor, backend.pairs(), backend.style, backend.native, forward)
        return facts

    def match_methods(self, spec: str) -> list[str]:
        """The methods that match a glob, in the order of registration. With options: every combination of their values.

        Raises ValueError with a message for the user.
        """
        pattern, text = split(spec)
        names = [name for name in self.methods if fnmatch.fnmatchcase(name, pattern)]
        if not names:
            raise ValueError(f"{shown(pattern)} names no method; {one_of(self.methods, pattern)}")
        if not text:
            return names
        found: list[str] = []
        for name in names:
            for options in parse(name, text, type(self.methods[name])):
                found.append(canonical(name, options))
                self.method(found[-1])
        return found

    def method(self, spec: str) -> AbstractGradientMethod:
        """The method of a case, with its options. Raises ValueError with a message for the user."""
        if spec not in self._methods:
            name, text = split(spec)
            if name not in self.methods:
                raise ValueError(f"{shown(name)} is no method; {one_of(self.methods, name)}")
            (options,) = parse(name, text, type(self.methods[name]))
            made = self.methods[name]
            new = guarded(spec, "", lambda: dataclasses.replace(made, **options)) if options else made
            self._methods[spec] = new
        return self._methods[spec]

    def problem_class(self, spec: str) -> tuple[type[AbstractProblem], Parameters]:
        """The class and the parameters of `name(key=value, …)`. Raises ValueError with a message for the user.

        Each text is parsed only once, because thousands of cases may share a few problems.
        """
        if spec not in self._parsed:
            name, text = split(spec) if is_spec(spec) else (spec, "")
            if name not in self.problems:
                raise ValueError(f"{shown(name)} is no problem{left_open(spec)}; {one_of(self.problems, name)}")
            (parameters,) = parse(name, text, self.problems[name], PROBLEM_FIELDS, lists=False)
            self._parsed[spec] = self.problems[name], parameters
        return self._parsed[spec]

    def problems_named(self, spec: str) -> tuple[str, ...]:
        """The names in the cases of a problem that a suite names: without default parameters, the others sorted.

        There are several if a setting of a model has a list of values. Raises ValueError.
        """
        if spec in self._named:
            return self._named[spec]
        cls, parameters = self.problem_class(spec)
        return (canonical(cls.name, parameters),)

    def problem(self, spec: str, *, noise: str, calculus: str, dim: int) -> AbstractProblem:
        """An instance of the problem. Raises ValueError if the problem has no such noise, calculus or dimension."""
        cls, parameters = self.problem_class(spec)
        return guarded(spec, "", lambda: cls(noise=noise, calculus=calculus, dim=dim, **parameters))

    def is_built_in(self, spec: str) -> bool:
        """Whether the problem comes with the package, or is a model. Models were checked when they were found."""
        return spec in self.models or self.problem_class(spec)[0].__module__.startswith("harness.problems.")

    def problem_of(self, case: Case) -> AbstractProblem:
        """The problem of a case, or the facts about its model. Raises ValueError as `problem` does."""
        if case.problem in self.models:
            return self.models[case.problem]
        return self.problem(case.problem, noise=case.noise, calculus=case.calculus, dim=case.dim)


def _class(registered: object) -> type:
    """The class of a registered thing. Problems are registered as classes, everything else as instances."""
    return registered if isinstance(registered, type) else type(registered)


def _is_public(item: object, module: ModuleType) -> TypeGuard[type]:
    """Whether the module itself defines the class, and its name says that it is no base of others."""
    return (
        inspect.isclass(item) and item.__module__ == module.__name__ and not item.__name__.startswith(("_", "Abstract"))
    )


def _import_plugin(plugin: str) -> ModuleType:
    """A module by its dotted name, or a file by its path."""
    if not plugin.endswith(".py"):
        return importlib.import_module(plugin)
    path = Path(plugin)
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {plugin}")
    return module_of(path, f"harness_plugin_{path.stem}")


def _guarded(where: str, key: str, action: Callable[[], T]) -> T:
    """Run a plugin's code. Whatever it raises becomes an InputError of one line. What it prints goes to the errors."""
    try:
        with redirect_stdout(sys.stderr):
            return action()
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError(where, key, f"can't be loaded: {described(error)}") from error
