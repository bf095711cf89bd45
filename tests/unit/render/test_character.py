"""A character whose arrays do not go together is told before machine code reads them."""

from dataclasses import replace

import numpy as np
import pytest
from solids import box, character

from sfumato.errors import DataError


def changed(values, number):
    values = values.copy()
    values.flat[3] = number
    return values


@pytest.mark.parametrize("number", [-1, 1, 7])
def test_a_bone_beyond_the_skeleton(number):
    one = character(box())
    with pytest.raises(DataError, match=f"character 'solid': names bone {number} of 1"):
        replace(one, weights=replace(one.weights, bones=changed(one.weights.bones, number)))


@pytest.mark.parametrize("number", [-1, 8])
def test_a_vertex_beyond_the_mesh(number):
    one = character(box())
    with pytest.raises(DataError, match=f"names vertex {number} of 8"):
        replace(one, mesh=replace(one.mesh, faces=changed(one.mesh.faces, number)))


def test_a_component_beyond_those_there_are():
    one = character(box())
    with pytest.raises(DataError, match="names component 2 of 1"):
        replace(one, mesh=replace(one.mesh, components=changed(one.mesh.components, 2)))


def test_arrays_of_other_lengths():
    one = character(box())
    bones, values = one.weights.bones, one.weights.values
    for wrong in ({"bones": bones[:-1], "values": values[:-1]}, {"values": np.tile(values, 2)}, {"bones": bones[:-1]}):
        with pytest.raises(DataError, match="give each of its 8 vertices as many of both"):
            replace(one, weights=replace(one.weights, **wrong))
    for name in ("parts", "components", "colors"):
        with pytest.raises(DataError, match="give each of its 12 faces one part, component and color"):
            replace(one, mesh=replace(one.mesh, **{name: getattr(one.mesh, name)[:-1]}))
