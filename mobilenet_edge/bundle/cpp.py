"""Write `classify.cc`: C++17, the C API of LiteRT, Pillow's scaling, and the arithmetic of one model's pixels."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import indent
from typing import Final

from mobilenet_edge.bundle.deployment import Deployment
from mobilenet_edge.bundle.script import template
from mobilenet_edge.data.preprocess import Preprocess
from mobilenet_edge.errors import UsageError
from mobilenet_edge.evaluation.head import Head
from mobilenet_edge.evaluation.tensors import ImageInput

_TYPES: Final = {"float32": "float", "int8": "int8_t", "uint8": "uint8_t"}
# Pillow's filters that are nowhere negative: how far each reaches, and its value. Others may be cut to a byte between
# the passes along rows and columns, and the order of these depends on the version of Pillow, since 13.0 on the sizes.
_FILTERS: Final[Mapping[str, tuple[str, str]]] = {
    "box": ("0.5", "return x > -0.5 && x <= 0.5 ? 1 : 0;"),
    "bilinear": ("1", "return std::max(0.0, 1 - std::abs(x));"),
    "hamming": (
        "1",
        "x = std::abs(x) * M_PI;\nif (x == 0) return 1;\n"
        "return x < M_PI ? std::sin(x) / x * (0.54 + 0.46 * std::cos(x)) : 0;",
    ),
}
# Of a pixel in red, green and blue, by the rule's order of colours; the same in C++ and JavaScript.
PIXELS: Final = {
    "rgb": "rgb[c]",
    "bgr": "rgb[2 - c]",
    # ITU-R 601-2, as Pillow computes it.
    "grey": "((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16)",
}
_SOFTMAX: Final = (
    "const double most = *std::max_element(shares.begin(), shares.end());\n"
    "for (double& share : shares) share = std::exp(share - most);\n"
    "const double total = std::accumulate(shares.begin(), shares.end(), 0.0);\n"
    "for (double& share : shares) share /= total;"
)
_HEADS: Final[Mapping[Head, str]] = {
    Head.classes: "",
    Head.logits: _SOFTMAX,
    Head.features: _SOFTMAX,
    Head.probability: "shares = {1 - shares[0], shares[0]};",
    Head.logit: "shares = {(1 - std::tanh(shares[0] / 2)) / 2, (1 + std::tanh(shares[0] / 2)) / 2};",
}


def write(model: Deployment, outputs: int, output_dtype: str) -> str:
    """Write the program for a model.

    Args:
        model: A .tflite file and its rule.
        outputs: Number of its outputs.
        output_dtype: Their element type.

    Raises:
        UsageError: It is no .tflite file of float32, int8 or uint8 ends, it answers several labels, or the filter is
            none of box, bilinear and hamming.
    """
    rule, taken = model.rule, model.input
    if model.artifact.format != "tflite" or not {taken.dtype, output_dtype} <= _TYPES.keys():
        raise UsageError(f"{model.artifact.path}: C++ is written for .tflite files of float32, int8 and uint8 ends")
    if rule.filter not in _FILTERS or model.head is Head.labels:
        what = "several labels" if model.head is Head.labels else f"the filter {rule.filter}"
        raise UsageError(f"{model.artifact.path}: C++ is not written for {what}; take --for pi")
    support, value = _FILTERS[rule.filter]
    words, lines = _fit(rule)
    scale, zero_point = model.grid or (1.0, 0)
    return template("classify.cc.in").substitute(
        input_type=_TYPES[taken.dtype],
        output_type=_TYPES[output_dtype],
        width=rule.size[1],
        height=rule.size[0],
        channels=rule.channels,
        outputs=outputs,
        scale=", ".join(map(_float, rule.scale)),
        offset=", ".join(map(_float, rule.offset)),
        colour=rule.colour,
        filter=rule.filter,
        support=support,
        weight=indent(value, "  "),
        fit_words=words,
        fit=indent(lines, "  "),
        shape="x".join(map(str, taken.shape)),
        pixel=PIXELS[rule.colour],
        place="size_t(c) * WIDTH * HEIGHT + i" if taken.channels_first else "size_t(i) * CHANNELS + c",
        element=_element(taken),
        zero_point=zero_point,
        step=_float(scale),
        head=indent(_HEADS[model.head], "  "),
    )


def _fit(rule: Preprocess) -> tuple[str, str]:
    whole = "0, 0, image.width, image.height"
    match rule.fit:
        case "stretch":
            return (
                "The whole picture, scaled to the size of the input.",
                f"return resize(image, WIDTH, HEIGHT, {whole});",
            )
        case "pad":
            return (
                "The whole picture, scaled into the size of the input between bars.",
                "const double factor = std::min(double(WIDTH) / image.width, double(HEIGHT) / image.height);\n"
                "const int width = std::max(1, int(std::nearbyint(image.width * factor)));\n"
                "const int height = std::max(1, int(std::nearbyint(image.height * factor)));\n"
                f"const Image inner = resize(image, width, height, {whole});\n"
                f"const uint8_t bar[] = {{{', '.join(map(str, rule.pad))}}};\n"
                "Image out{WIDTH, HEIGHT, std::vector<uint8_t>(size_t(3) * WIDTH * HEIGHT)};\n"
                "for (size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = bar[i % 3];\n"
                "const int left = (WIDTH - width) / 2, top = (HEIGHT - height) / 2;\n"
                "for (int y = 0; y < height; ++y)\n"
                "  std::copy_n(&inner.pixels[3 * y * width], 3 * width, &out.pixels[3 * ((top + y) * WIDTH + left)]);\n"
                "return out;",
            )
    crop = repr(rule.crop)
    return (
        f"The centre {rule.crop:g} of the largest rectangle of the input's shape, scaled.",
        "const bool wide = int64_t(image.width) * HEIGHT > int64_t(image.height) * WIDTH;\n"
        f"const double across = wide ? image.height * {crop} * (double(WIDTH) / HEIGHT) : image.width * {crop};\n"
        f"const double down = wide ? image.height * {crop} : image.width * {crop} * (double(HEIGHT) / WIDTH);\n"
        "const double left = (image.width - across) / 2, top = (image.height - down) / 2;\n"
        "return resize(image, WIDTH, HEIGHT, left, top, left + across, top + down);",
    )


def _element(taken: ImageInput) -> str:
    if not taken.scale:
        return "value"
    ends = {"int8": "-128.0f, 127.0f", "uint8": "0.0f, 255.0f"}[taken.dtype]
    steps = f"std::nearbyint(value / {_float(taken.scale)} + {_float(taken.zero_point or 0)})"
    return f"Input(std::clamp({steps}, {ends}))"


def _float(number: float) -> str:
    return f"{float(number)!r}f"
