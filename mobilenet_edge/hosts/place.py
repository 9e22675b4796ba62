"""Where and how models run: a device, a runtime there, and a delegate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mobilenet_edge.device.delegate import EDGETPU_OP
from mobilenet_edge.errors import UsageError
from mobilenet_edge.hosts.devices import Device


@dataclass(frozen=True)
class Delegate:
    """A TFLite delegate, or an execution provider of onnxruntime, which is the same for an `.onnx` file.

    Attributes:
        path: Path of the library on the machine that loads it; of a provider, its name.
        options: Pairs of name and value.
        from_device: Whether the devices file sets it; it then applies only to the files that it can run.
        provider: Whether it is an execution provider.
    """

    path: str
    options: tuple[tuple[str, str], ...] = ()
    from_device: bool = False
    provider: bool = False

    @classmethod
    def parse(cls, path: str | None, options: Sequence[str], provider: str | None = None) -> Delegate | None:
        """Parse the options of the command line.

        Args:
            path: Path of the library, or None.
            options: Options as "key=value".
            provider: Name of an execution provider, or None.

        Returns:
            The delegate, or None without a path and a provider.

        Raises:
            UsageError: An option has no "=" or is repeated, or there are options without a path, or both a path and a
                provider.
        """
        if path is not None and provider is not None:
            raise UsageError("--delegate is for .tflite files and --provider for .onnx files; give one of them")
        pairs = [option.partition("=") for option in options]
        if bad := [option for option, (key, sign, _) in zip(options, pairs, strict=True) if not (key and sign)]:
            raise UsageError(f"--delegate-option {bad[0]!r} is not KEY=VALUE, such as device=usb")
        if len({key for key, _, _ in pairs}) < len(pairs):
            raise UsageError("a --delegate-option is given twice; give each key once")
        name = provider if path is None else path
        if name is None and pairs:
            raise UsageError(
                "--delegate-option needs a delegate; give the path of its library with --delegate, or --provider"
            )
        settings = tuple((key, value) for key, _, value in pairs)
        return None if name is None else cls(name, settings, provider=path is None)

    @classmethod
    def of(cls, device: Device) -> Delegate | None:
        """Return the delegate of a device, None if it has none."""
        if not device.delegate:
            return None
        return cls(device.delegate, tuple(device.delegate_options.items()), from_device=True)

    def suits(self, model_format: str, ops: Collection[str]) -> bool:
        """Return whether a file of these operators is to be run with it: always, if the user asked for it."""
        is_edgetpu = "edgetpu" in self.path.rpartition("/")[2]
        return not self.from_device or (model_format == "tflite" and (EDGETPU_OP in ops or not is_edgetpu))

    def request(self) -> dict[str, Any]:
        """Return the request for the worker."""
        return {"provider" if self.provider else "path": self.path, "options": dict(self.options)}


@dataclass(frozen=True)
class Place:
    """Where and how models run.

    Attributes:
        device: The machine.
        runtime: Name of a runtime, or "auto" for the best installed one that opens the file.
        delegate: Delegate that the user asked for; None for that of the device.
    """

    device: Device
    runtime: str = "auto"
    delegate: Delegate | None = None

    @classmethod
    def load(cls, fields: Mapping[str, Any]) -> Place:
        """Build a place from the JSON of its fields."""
        delegate = fields["delegate"]
        if delegate is not None:
            delegate = Delegate(**{**delegate, "options": tuple(map(tuple, delegate["options"]))})
        return cls(Device(**fields["device"]), fields["runtime"], delegate)

    def delegate_for(self, model_format: str, ops: Collection[str]) -> Delegate | None:
        """Return the delegate that runs a file of these operators, None for the CPU."""
        delegate = self.delegate or Delegate.of(self.device)
        return delegate if delegate is not None and delegate.suits(model_format, ops) else None
