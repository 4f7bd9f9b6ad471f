"""What a constructor takes: shown in full, checked whenever it is set, and written as a config."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any, Self

from minigrad.suggestions import nearest

Check = Callable[[str, str, Any], Any]  # from owner, argument and value to the value, as it is kept
REQUIRED: Any = object()
# Names that other frameworks, or earlier versions of them, used.
_OLD_NAMES = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "weight_regularizer": "kernel_regularizer",
    "weights_regularizer": "kernel_regularizer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
    "output_regularizer": "activity_regularizer",
    "requires_grad": "trainable",
    "alpha": "negative_slope",
    "init": "kernel_initializer",
    "output_dim": "units",
    **dict.fromkeys(("input_length", "fused"), ""),  # nothing has taken their place
}
# What Keras has, and is not here: to give its default says nothing.
_USUAL: dict[str, Any] = {
    **dict.fromkeys(("mask_zero", "use_ema", "from_sorted_ids", "multi_label", "renorm"), False),
    **dict.fromkeys(("ignore_class", "num_labels", "label_weights", "loss_scale_factor"), None),
    "axis": -1,
}


def is_ours(kind: Any) -> bool:
    """Whether a class is this package's, and not a user's."""
    return str(getattr(kind, "__module__", "")).partition(".")[0] == __name__.partition(".")[0]


def arguments_of(kind: type, named: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """Return what a class takes: arguments of ours, and own ones that no `get_config` tells.

    `named` are those that an object was made of, as ``**settings`` may hold own ones.
    """
    import inspect  # slow to load, and only needed to look at a signature

    makers = [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
    known = {name for m in makers if is_ours(m) for name in inspect.signature(m).parameters}
    parameters = inspect.signature(kind).parameters.values()
    names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
    names += [name for name in named if name not in names]
    is_told = not is_ours(next(base for base in kind.__mro__ if "get_config" in vars(base)))
    own = [name for name in names if not is_told and name not in known]
    return [name for name in names if name in known], own


class UnknownArgumentError(TypeError, ValueError):
    """A keyword that a constructor does not know: Python raises the one type, Keras the other."""


def meant_by(name: str, known: Collection[str], cutoff: float = 0.6) -> str:
    """Return which of `known` was probably meant by a name that is none; or all that there are."""
    old = _OLD_NAMES.get(name)
    if old == "":
        return " Leave it out."
    near = [old] if old in known else nearest(name, known, 1, cutoff)
    return f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(known)}"


def reject_unknown(owner: str, unknown: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise for the first of some keywords, unless it says what is so by default in Keras."""
    for name, value in unknown.items():
        if name in _USUAL and repr(value) == repr(_USUAL[name]):
            continue
        hint = meant_by(name, known)
        raise UnknownArgumentError(f"{owner} takes no argument {name!r}.{hint}")


class Setting:
    """An argument of a constructor that is an attribute: how it is checked, and its default."""

    def __init__(self, check: Check | None, default: Any = REQUIRED) -> None:
        self.check = check
        self.default = default

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.default  # until the instance has its own


class FullSignature:
    """A class attribute: what a constructor takes itself, then what it hands on to its bases.

    What a `Configurable` takes by place are its settings.

    Without it, only the parameters of the layer itself would be seen, and ``**arguments``.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        import inspect  # slow to load, and only needed to look at a signature

        found: dict[str, inspect.Parameter] = {}
        constructors = [
            vars(kind)["__init__"] for kind in owner.__mro__[:-1] if "__init__" in vars(kind)
        ]
        for constructor in constructors:
            own = list(inspect.signature(constructor).parameters.values())[1:]
            hands_on = any(parameter.kind is parameter.VAR_KEYWORD for parameter in own)
            has_settings = issubclass(owner, Configurable)
            if has_settings and any(p.kind is p.VAR_POSITIONAL for p in own):
                named = [p for p in own if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
                own = [_as_parameter(*pair) for pair in owner._settings().items()]
                own += [p.replace(kind=p.KEYWORD_ONLY) for p in named]
            for parameter in own:
                if parameter.kind is not parameter.VAR_KEYWORD:
                    # Only the outermost constructor takes some by their place.
                    how = (
                        parameter.kind if constructor is constructors[0] else parameter.KEYWORD_ONLY
                    )
                    found.setdefault(parameter.name, parameter.replace(kind=how))
            if not hands_on:
                break
        return inspect.Signature(sorted(found.values(), key=lambda parameter: parameter.kind))


class Configurable:
    """An object that is made from settings, which are checked whenever they are set.

    They are its constructor's arguments, in the order in which the class and its bases define them,
    and its config.
    """

    __signature__ = FullSignature()
    _named: Collection[str] = ()  # what a user's class was given by name

    def __new__(cls, *_: Any, **named: Any) -> Self:
        made = super().__new__(cls)
        if named and not is_ours(cls):
            object.__setattr__(made, "_named", tuple(named))
        return made

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        kind, known = type(self).__name__, self._settings()
        if len(arguments) > len(known):
            raise TypeError(f"{kind} takes {len(known)} arguments at most: {', '.join(known)}")
        for name, value in zip(known, arguments, strict=False):
            if name in settings:
                raise TypeError(f"{kind} was given {name} twice")
            settings[name] = value
        reject_unknown(kind, {n: v for n, v in settings.items() if n not in known}, known)
        for name, setting in known.items():
            value = settings.get(name, setting.default)
            if value is REQUIRED:
                raise TypeError(f"{kind} needs {name}")
            setattr(self, name, value)

    @classmethod
    @cache  # a loss that is called as a function is made at each call
    def _settings(cls) -> dict[str, Setting]:
        """Return all settings, by name."""
        found: dict[str, Any] = {}
        for kind in cls.__mro__:
            for name, value in vars(kind).items():
                found.setdefault(name, value)  # a class may have settled one of its base's
        return {name: value for name, value in found.items() if isinstance(value, Setting)}

    @classmethod
    def _meant_by(cls, name: str, cutoff: float = 0.6) -> str:
        """Return which setting was probably meant by a name that is none."""
        return meant_by(name, cls._settings(), cutoff)

    def __setattr__(self, name: str, value: Any) -> None:
        setting = getattr(type(self), name, None)
        if isinstance(setting, Setting) and setting.check is not None:
            value = setting.check(type(self).__name__, name, value)
        object.__setattr__(self, name, value)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make this object again.

        A user's class has those of its constructor, too, and must keep them under their names.
        """
        config = Configurable._shown(self)
        if lost := [
            name for name in arguments_of(type(self), self._named)[1] if name not in config
        ]:
            raise NotImplementedError(
                f"{type(self).__name__} must define get_config() to be saved, returning a dict of "
                f"its constructor's arguments: it keeps none as {', '.join(lost)}"
            )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Make the object that `get_config` described."""
        import inspect

        # A user's constructor need not take all settings of its base.
        later = cls._settings().keys() - inspect.signature(cls).parameters.keys()
        made = cls(**{name: value for name, value in config.items() if name not in later})
        for name in config.keys() & later:
            setattr(made, name, config[name])
        return made

    def _shown(self) -> dict[str, Any]:
        own = [name for name in arguments_of(type(self), self._named)[1] if name in vars(self)]
        return {name: getattr(self, name) for name in [*self._settings(), *own]}

    def __repr__(self) -> str:
        known = self._settings()
        shown = {  # the settings that a base has, only where they are not as usual
            name: value
            for name, value in self._shown().items()
            if name in vars(type(self)) or name not in known or value != known[name].default
        }
        shown.pop("name", None)
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


def _as_parameter(name: str, setting: Setting) -> Any:
    from inspect import Parameter

    default = Parameter.empty if setting.default is REQUIRED else setting.default
    return Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default)
