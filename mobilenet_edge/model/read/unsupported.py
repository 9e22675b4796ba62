"""Why a layer cannot be exported: reasons are collected, so that one message names all layers."""

from __future__ import annotations

from typing import Final

from mobilenet_edge.errors import BuildError, InputError, MnetError
from mobilenet_edge.model.read.architecture import Layer

# Layers of Keras's own that hold or call code from outside.
CODE: Final = frozenset(("Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"))
# Where Keras's classes live, in all its generations.
_OWN: Final = ("keras.", "tf_keras.", "tensorflow.keras.", "tensorflow.python.keras.", "keras_applications.")
# Registered under this name by people who copied Keras's own; it computes what its name says.
_COPIES: Final = frozenset(("Custom>relu6", "Custom>DepthwiseConv2D"))
# Layers a message names; a network of another kind has hundreds of one sort.
_NAMED: Final = 12


class Unsupported(Exception):
    """A layer that the graph cannot hold exactly.

    Attributes:
        reason: What is wrong with it, to follow its name: "has dilation 2".
        placed: Whether the reason lies in what comes before the layer, not in the layer alone.
        foreign: Whether it needs code that is not Keras's own.
    """

    def __init__(self, reason: str, *, placed: bool = False, foreign: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.placed, self.foreign = reason, placed, foreign


def check_origin(kind: str, module: str, registered: str) -> None:
    """Refuse a class or function that is not Keras's own, whatever its name is.

    Raises:
        Unsupported: It is the user's, or a layer of Keras's that calls the user's code.
    """
    if kind in CODE:
        raise Unsupported(f"is a {kind}, which holds or calls code", foreign=True)
    own = not module or module in ("keras", "builtins") or f"{module}.".startswith(_OWN)
    if registered in _COPIES and registered.endswith(f">{kind}"):
        return
    if ">" in registered or not own:
        name = registered if ">" in registered else f"{module}.{kind}"
        raise Unsupported(f"uses {name}, which is not Keras's own", foreign=True)


class Refusals:
    """The layers that stop an export, in order."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._reasons: dict[str, bool] = {}

    def add(self, layer: Layer, error: Unsupported) -> None:
        """Note a layer; one that is called twice counts once."""
        self._reasons[f"layer {layer.name!r} {error.reason}"] = error.foreign

    def raise_any(self) -> None:
        """Raise one error that names all layers, if there are any.

        Raises:
            InputError: A layer needs code that is not Keras's own.
            BuildError: The graph cannot hold a layer.
        """
        if self._reasons:
            raise self._error()

    def _error(self) -> MnetError:
        reasons = list(self._reasons)
        listed = "; ".join(reasons[:_NAMED]) + (f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else "")
        if any(self._reasons.values()):
            return InputError(
                f"{self._model}: {listed}; mnet runs no code from files: build the model with Keras's own layers"
            )
        return BuildError(
            f"{self._model} cannot be exported: {listed}; build the model without "
            f"{'these layers' if len(reasons) > 1 else 'this layer'}, everything else in it can stay "
            f"(docs/models.md lists what mnet takes)"
        )
