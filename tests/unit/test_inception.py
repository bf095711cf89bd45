"""The Inception of the FID: its shape, what sets it apart from torchvision's, and its resize."""

import pytest
import torch

from sfumato.errors import WeightsError
from sfumato.metrics.features import Judge
from sfumato.nets.inception import BLOCKS, Block, Inception, Layer, read_inception, resized

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Inception().eval()


def test_weights_are_as_many_as_published(network):
    """torchvision's Inception v3 has 27,161,264: less 3,326,696 of the auxiliary head, 2,049,000 of 1,000 classes."""
    assert sum(p.numel() for p in network.parameters()) == 27_161_264 - 3_326_696 - 2_049_000


def test_keys_are_those_of_the_published_file(network):
    keys = set(network.state_dict())
    for key, shape in {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Mixed_5b.branch_pool.bn.running_var": (32,),
        "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
        "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
    }.items():
        assert key in keys and tuple(network.state_dict()[key].shape) == shape
    assert len([key for key in keys if key.endswith("conv.weight")]) == 94


def test_pictures_of_any_size_have_2048_features(network):
    for size in ((299, 299), (40, 70), (1, 1)):
        assert network(torch.rand(1, 3, *size)).shape == (1, 2048)


def test_colors_are_brought_to_the_scale_of_tensorflow(network, monkeypatch):
    """(255 x - 128) / 128."""
    seen = []
    hook = network.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    network(torch.full((1, 3, 20, 20), 0.5))
    hook.remove()
    torch.testing.assert_close(seen[0], torch.full((1, 3, 299, 299), (127.5 - 128) / 128))


def test_average_pools_do_not_count_what_they_pad():
    block = Block(1, BLOCKS["Mixed_5b"], "average")
    pooled = block._pooled(torch.ones(1, 1, 4, 4))
    torch.testing.assert_close(pooled, torch.ones(1, 1, 4, 4))


def test_the_last_block_takes_the_maximum(network):
    x = torch.zeros(1, 1, 5, 5)
    x[0, 0, 2, 2] = 9
    assert network.Mixed_7c._pooled(x)[0, 0, 1:4, 1:4].eq(9).all()
    torch.testing.assert_close(network.Mixed_7b._pooled(x)[0, 0, 1:4, 1:4], torch.ones(3, 3))


def test_a_fork_joins_its_two():
    block = Block(2, ([Layer("a", fork=(Layer("x", 3), Layer("y", 4)))], [Layer("branch_pool", 5)]), "max")
    assert block.eval()(torch.rand(1, 2, 6, 6)).shape == (1, 3 + 4 + 5, 6, 6)


def test_resize_is_that_of_tensorflow_1():
    """Pixel i of n is at i * length / n: the first is the first, and past the last there is only the last."""
    row = torch.tensor([0.0, 10.0, 20.0, 30.0]).expand(1, 1, 4, 4)
    expected = torch.tensor([0, 20 / 3, 40 / 3, 20, 80 / 3, 30])  # at 0, 2/3, 4/3, 2, 8/3, 10/3
    torch.testing.assert_close(resized(row, 6)[0, 0], expected.expand(6, 6), rtol=0, atol=1e-5)
    torch.testing.assert_close(resized(row, 2)[0, 0, 0], torch.tensor([0.0, 20.0]))  # nothing is averaged
    torch.testing.assert_close(resized(row.mT, 6)[0, 0, :, 0], expected, rtol=0, atol=1e-5)


def test_the_published_file_is_read(network, tmp_path):
    """It has classes, too, which are left out, and no counters of batches."""
    state = {k: t for k, t in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    state |= {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    torch.save(state, tmp_path / "pt_inception.pth")
    judge = Judge(str(tmp_path / "pt_inception.pth"), CPU)
    picture = torch.rand(1, 3, 32, 32)
    torch.testing.assert_close(torch.from_numpy(judge([picture])).float(), network(picture), rtol=1e-3, atol=1e-4)
    assert (judge.frechet, judge.kernel) == ("fid", "kid")
    del state["Mixed_7c.branch1x1.conv.weight"]
    torch.save(state, tmp_path / "broken.pth")
    with pytest.raises(WeightsError, match=r"broken\.pth: not the Inception network of the FID.*Mixed_7c\.branch1x1"):
        Judge(str(tmp_path / "broken.pth"), CPU)


def test_reading_leaves_it_frozen(network):
    assert not any(p.requires_grad for p in read_inception(network.state_dict()).parameters())


def test_without_its_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("SFUMATO_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="`sfumato models get inception-fid` downloads it"):
        Judge("inception", CPU)
    judge = Judge("auto", CPU)
    assert (judge.frechet, judge.kernel) == ("fd-compact", "kd-compact")
    assert judge([torch.rand(2, 3, 32, 32), torch.rand(1, 3, 48, 20)]).shape == (3, 768)
