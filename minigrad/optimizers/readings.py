"""What an optimizer shows of itself: plain numbers that also know the words of Keras' variables."""

from __future__ import annotations

from typing import Any, NoReturn, Self

import numpy as np

from minigrad.parameter import Parameter


class _Words:
    """The words of Keras' variables, for a number that is an attribute of an optimizer."""

    _plain: Any  # float or int
    _of: tuple[Any, str]

    def __new__(cls, number: Any, owner: Any = None, name: str = "") -> Self:
        made: Self = cls._plain.__new__(cls, number)
        made._of = (owner, name)
        return made

    @property
    def value(self) -> Self:
        """Itself."""
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        """Return it as an array without axes."""
        return np.array(self._plain(self))

    def assign(self, value: Any) -> Any:
        """Change it in the optimizer; return what it is there now."""
        owner, name = self._of
        setattr(owner, name, value)
        return getattr(owner, name)

    def __reduce__(self) -> Any:
        return self._plain, (self._plain(self),)  # a copy is a number, and of no optimizer


class Reading(_Words, float):
    """A number of an optimizer as it is now, such as its learning rate.

    Examples
    --------
    >>> from minigrad.optimizers import SGD
    >>> optimizer = SGD(0.5)
    >>> optimizer.learning_rate.assign(optimizer.learning_rate / 2)
    0.25
    >>> optimizer.learning_rate.value, optimizer.learning_rate.numpy()
    (0.25, array(0.25))
    """

    _plain = float


class Count(_Words, int):
    """A whole number of an optimizer as it is now, such as how many steps it has made."""

    _plain = int


class StateCopy(Parameter):
    """A copy of something that an optimizer keeps: to look at, not to change."""

    def assign(self, values: Any) -> NoReturn:
        """Refuse, as it would change nothing but the copy."""
        raise TypeError(
            f"{self.name!r} is a copy of the optimizer's state, which load_state_arrays changes"
        )
