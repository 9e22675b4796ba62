"""Walk a model's calls from its output back to its input, and take each up in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

from mobilenet_edge.model.read.applied import Applied, operands
from mobilenet_edge.model.read.architecture import Call, Description, Layer, Reference
from mobilenet_edge.model.read.arrays import Arrays
from mobilenet_edge.model.read.folding import Folding
from mobilenet_edge.model.read.handlers import handler
from mobilenet_edge.model.read.unsupported import Refusals, Unsupported, check_origin
from mobilenet_edge.model.read.values import Pixels, Tensor, Value

_QUANTISED: Final = ("quantized", "int8", "int4", "float8", "gptq", "awq")
_Key = tuple[str, int]


@dataclass
class Walk:
    """One reading of a model.

    A layer that cannot be taken up is noted, and its input stands in for its output, so that all such layers are found.
    """

    folding: Folding
    arrays: Arrays
    refusals: Refusals
    readers: dict[Reference, int] = field(default_factory=dict)

    def run(self, model: Description, inputs: Sequence[Value]) -> Value:
        """Take up all that a model's output depends on; return the output.

        Raises:
            Unsupported: The model has several outputs, or a layer reads its own output.
        """
        if len(model.outputs) != 1 or len(model.inputs) != len(inputs):
            raise Unsupported(
                f"has {len(model.inputs)} inputs and {len(model.outputs)} outputs; mnet takes one each: "
                f"save keras.Model(model.input, model.outputs[0])"
            )
        counts = _count_readers(model)
        known: dict[_Key, Value] = {
            (each.layer, each.call): value for each, value in zip(model.inputs, inputs, strict=True)
        }
        for key in _order(model, known.keys()):
            call = model.calls[key]

            def resolve(value: Any) -> Any:
                if isinstance(value, Reference):
                    if value.output:
                        raise Unsupported("reads a second output of a layer; mnet takes layers of one")
                    source = known[value.layer, value.call]
                    return replace(source, shared=True) if counts[value.layer, value.call] > 1 else source
                return [resolve(each) for each in value] if isinstance(value, list) else value

            known[key] = self._apply(call, resolve)
        (output,) = model.outputs
        return known[output.layer, output.call]

    def _apply(self, call: Call, resolve: Any) -> Value:
        arguments = tuple(resolve(each) for each in call.arguments)
        options = {key: resolve(value) for key, value in call.options.items()}
        given = operands(arguments, options)
        sources = [each for each in given if isinstance(each, Tensor | Pixels)]
        doubtful = any(each.doubtful for each in sources)
        try:
            made = self._take_up(call.layer, given, options)
        except Unsupported as error:
            # What lies before may be to blame for what depends on it.
            if not (doubtful and error.placed):
                self.refusals.add(call.layer, error)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, ZeroDivisionError) as error:
            if not doubtful:
                detail = f"{type(error).__name__} {error}"
                self.refusals.add(
                    call.layer, Unsupported(f"({call.layer.kind}) is described as Keras does not: {detail:.80}")
                )
        else:
            return replace(made, doubtful=True) if doubtful else made
        if not sources:
            raise Unsupported(f"({call.layer.name}, {call.layer.kind}) takes no tensor")
        return replace(sources[0], doubtful=True)

    def _take_up(self, layer: Layer, given: tuple[Any, ...], options: dict[str, Any]) -> Value:
        if layer.model is not None:
            return self.run(layer.model, [each for each in given if isinstance(each, Tensor | Pixels)])
        check_origin(layer.kind, *layer.origin)
        take = handler(layer.kind)
        if take is None:
            raise Unsupported(f"is a {layer.kind}, which mnet does not know")
        _check_options(layer, options, self.folding.version)
        settings = {**layer.config, **options}
        return take(self.folding, Applied(layer, given, settings, partial(self.arrays.read, layer)))


def _check_options(layer: Layer, options: dict[str, Any], version: tuple[int, int]) -> None:
    if layer.config.get("data_format") == "channels_first":
        raise Unsupported("has its channels first; save the model with channels last")
    if options.get("training") is True and version < (3, 0) and not layer.kind.startswith("Random"):
        raise Unsupported("is called with training=True; call it without")
    policy = layer.config.get("dtype")
    if isinstance(policy, dict):
        # The name of the class or of the policy; what it is made from is a float policy in either case.
        text = f"{policy.get('class_name')} {policy.get('config', {}).get('mode', '')}".lower()
        if any(word in text for word in _QUANTISED):
            raise Unsupported(f"({layer.kind}) is quantised already; give the float model it was made from")


def _count_readers(model: Description) -> dict[_Key, int]:
    counts = dict.fromkeys(model.calls, 0)
    for reference in [*model.outputs, *(each for call in model.calls.values() for each in call.references())]:
        counts[reference.layer, reference.call] += 1
    return counts


def _order(model: Description, known: Any) -> list[_Key]:
    """List the calls that the outputs depend on, each behind those it reads."""
    done, order = set(known), []
    stack = [((each.layer, each.call), False) for each in model.outputs]
    open_calls: set[_Key] = set()
    while stack:
        key, read = stack.pop()
        if read:
            open_calls.discard(key)
            if key not in done:
                done.add(key)
                order.append(key)
        elif key not in done:
            if key in open_calls:
                raise Unsupported(f"has a layer that reads its own output, {key[0]!r}")
            open_calls.add(key)
            stack.append((key, True))
            stack += [((each.layer, each.call), False) for each in reversed(list(model.calls[key].references()))]
    return order
