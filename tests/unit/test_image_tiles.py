"""Tiles: disjoint, covering, aligned, and with all the margin that there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfumato.errors import OptionError
from sfumato.image import Box, tiles

LAYOUTS = {
    "height": st.integers(1, 300),
    "width": st.integers(1, 300),
    "tile": st.integers(0, 160),
    "halo": st.integers(0, 80),
    "stride": st.sampled_from([1, 2, 3, 4, 8, 16, 32]),
}


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(**LAYOUTS)
def test_cores_cover_each_pixel_once(height, width, tile, halo, stride):
    seen = np.zeros((height, width), int)
    for piece in tiles(height, width, tile, halo, stride):
        assert piece.core.height > 0 and piece.core.width > 0
        seen[piece.core.slices] += 1
    assert (seen == 1).all()


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(**LAYOUTS)
def test_edges_are_aligned_and_halos_whole(height, width, tile, halo, stride):
    longest = max(tile // stride * stride, stride) if tile else max(height, width) + stride
    for core, padded in tiles(height, width, tile, halo, stride):
        assert core.height <= longest and core.width <= longest
        for box in (core, padded):
            assert box.top % stride == box.left % stride == 0
            assert box.bottom % stride == 0 or box.bottom == height
            assert box.right % stride == 0 or box.right == width
        assert padded.top <= max(core.top - halo, 0) < padded.top + stride
        assert padded.left <= max(core.left - halo, 0) < padded.left + stride
        assert padded.bottom - stride < min(core.bottom + halo, height) <= padded.bottom <= height
        assert padded.right - stride < min(core.right + halo, width) <= padded.right <= width


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(**LAYOUTS)
def test_inner_is_the_core_in_the_padded_box(height, width, tile, halo, stride):
    picture = np.arange(height * width).reshape(height, width)
    for piece in tiles(height, width, tile, halo, stride):
        assert np.array_equal(picture[piece.padded.slices][piece.inner.slices], picture[piece.core.slices])


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(**LAYOUTS)
def test_tiles_are_of_nearly_one_size(height, width, tile, halo, stride):
    pieces = tiles(height, width, tile, halo, stride)
    for sides in ({p.core.height for p in pieces}, {p.core.width for p in pieces}):
        assert len(sides) <= 2
    count = -(-height // max(tile // stride * stride, stride)) if tile else 1
    assert len({p.core.top for p in pieces}) <= count


def test_a_small_example():
    assert tiles(8, 12, 8, 2, 4) == [
        (Box(0, 0, 8, 8), Box(0, 0, 8, 12)),
        (Box(0, 8, 8, 12), Box(0, 4, 8, 12)),
    ]
    assert tiles(7, 5, 0, 9, 4) == [(Box(0, 0, 7, 5), Box(0, 0, 7, 5))]


@pytest.mark.parametrize(
    "wrong", [(0, 5, 4, 1, 1), (5, 0, 4, 1, 1), (5, 5, -1, 1, 1), (5, 5, 4, -1, 1), (5, 5, 4, 1, 0)]
)
def test_sizes_are_checked(wrong):
    with pytest.raises(OptionError, match="cannot tile"):
        tiles(*wrong)
