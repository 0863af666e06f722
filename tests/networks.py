"""Small networks as ONNX files, written byte by byte: the message `ModelProto` of onnx.proto."""

import numpy as np

FLOAT, UINT8, INT64 = 1, 2, 7
"""Types of elements, as ONNX numbers them."""
OF_DTYPE = {"float32": FLOAT, "uint8": UINT8, "int64": INT64}


def varint(number):
    """A whole number, seven bits to a byte, the lowest first."""
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def message(*fields):
    """A message of protobuf, from (number, value) pairs: whole numbers, texts and messages."""
    data = b""
    for number, value in fields:
        if isinstance(value, int):
            data += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            data += varint(number << 3 | 2) + varint(len(value)) + value
    return data


def node(operator, inputs, output, **attributes):
    """A step of a network; attributes are whole numbers or lists of them."""
    fields = [(1, name) for name in inputs] + [(2, output), (4, operator)]
    for name, value in attributes.items():
        if isinstance(value, int):
            fields.append((5, message((1, name), (3, value), (20, 2))))
        else:
            fields.append((5, message((1, name), *((8, one) for one in value), (20, 7))))
    return message(*fields)


def constant(name, values, *, is_elsewhere=False):
    """An array of a network; its values may be said to be in another file, `weights.bin`."""
    sizes = [(1, size) for size in values.shape]
    kind = [(2, OF_DTYPE[str(values.dtype)]), (8, name)]
    if is_elsewhere:
        place = message((1, "location"), (2, "weights.bin"))
        return message(*sizes, *kind, (13, place), (14, 1))
    return message(*sizes, *kind, (9, values.tobytes()))


def value(name, shape, dtype="float32"):
    """What goes in or comes out; sizes that are texts are free."""
    sizes = message(*((1, message((1 if isinstance(n, int) else 2, n))) for n in shape))
    return message((1, name), (2, message((1, message((1, OF_DTYPE[dtype]), (2, sizes))))))


def network(nodes, inputs, output, constants=()):
    """The bytes of a model."""
    graph = message(
        *((1, one) for one in nodes),
        (2, "network"),
        *((5, one) for one in constants),
        *((11, one) for one in inputs),
        (12, output),
    )
    return message((1, 8), (7, graph), (8, message((1, ""), (2, 17))))


def convolution(
    kernel,
    bias=None,
    last="Sigmoid",
    shape=("n", "channels", "rows", "columns"),
    is_elsewhere=False,
):
    """A convolution with zeros around the image, and what comes last, if anything.

    Parameters
    ----------
    kernel : (channels, rows, columns) or (channels, channels taken, rows, columns) array
        One for each channel of the output, of odd sides; and for each that is taken, or for one.
    shape
        Of the input; it has the kernel's channels, whatever it says where it is free.
    """
    kernel = np.asarray(kernel, np.float32)
    kernel = kernel[:, None] if kernel.ndim == 3 else kernel
    bias = np.zeros(len(kernel), np.float32) if bias is None else np.asarray(bias, np.float32)
    rows, columns = (side // 2 for side in kernel.shape[2:])
    first = "y" if last is None else "h"
    nodes = [node("Conv", "xkb", first, pads=[rows, columns, rows, columns])]
    if last is not None:
        nodes.append(node(last, "h", "y"))
    constants = [constant("k", kernel, is_elsewhere=is_elsewhere), constant("b", bias)]
    output = value("y", ("n", len(kernel), "rows_out", "columns_out"))
    return network(nodes, [value("x", shape)], output, constants)
