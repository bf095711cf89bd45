"""Makes the face detector that ships of the file that its authors published; needs `pip install onnx`.

    python tools/yunet.py yunet_n_dynamic.onnx

The authors' graph computes the shapes of its outputs from the size of the batch, which OpenCV 4 cannot read
("dynamic 'zero' shapes are not supported"). Here the batch is one picture and these shapes are constants, (1, -1, C).
No weight is changed, nor is any number that comes out.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, numpy_helper

TARGET = Path(__file__).resolve().parent.parent / "src" / "sfumato" / "assets" / "yunet" / "yunet_n.onnx"


def fixed(model: ModelProto) -> ModelProto:
    """The model for batches of one picture."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    for node in graph.node:
        if node.op_type == "Reshape":
            channels = int(numpy_helper.to_array(constants[makers[node.input[1]].input[-1]])[0])
            node.input[1] = f"shape_{channels}"
            if node.input[1] not in constants:
                shape = numpy_helper.from_array(np.array([1, -1, channels], np.int64), node.input[1])
                constants[node.input[1]] = shape
                graph.initializer.append(shape)
    while unused := [node for node in graph.node if not used(model) & set(node.output)]:
        for node in unused:
            graph.node.remove(node)
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used(model)]:
        graph.initializer.remove(tensor)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.checker.check_model(model)
    return model


def used(model: ModelProto) -> set[str]:
    """The names that nodes read or the graph gives."""
    return {name for node in model.graph.node for name in node.input} | {value.name for value in model.graph.output}


if __name__ == "__main__":
    made = fixed(onnx.load(sys.argv[1]))
    onnx.save(made, TARGET)
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:.0f} KB")
