"""One process; what two do is in tests/jobs/test_training.py."""

import torch

from sfumato.nets import parallel


def test_alone_everything_is_ones_own():
    x = torch.rand(2, 3, requires_grad=True)
    assert (parallel.rank(), parallel.world(), parallel.several()) == (0, 1, False)
    assert parallel.gather(x) is x
    assert parallel.mean(x) is x


def test_alone_noise_is_that_of_torch():
    torch.manual_seed(5)
    ours = parallel.rand(4, 1, 2, device=torch.device("cpu"))
    torch.manual_seed(5)
    assert torch.equal(ours, torch.rand(4, 1, 2))
