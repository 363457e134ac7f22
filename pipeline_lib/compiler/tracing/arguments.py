"""Arguments of own code as the libraries take them."""

from typing import Any


def unwrap(argument: Any) -> Any:
    """An argument without the substitutes of own code: the library's own functions, types and containers."""
    original = getattr(type(argument), "_original", None)
    if original is not None:
        return original.__get__(argument)
    if type(argument) in (list, tuple):
        return type(argument)(unwrap(each) for each in argument)
    if type(argument) is dict:
        return {key: unwrap(each) for key, each in argument.items()}
    return argument
