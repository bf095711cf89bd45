"""When a log says that a run is failing, and when it does not."""

import pytest

from sfumato.train.signs import LASTS, Signs, is_figure, is_loss

ADVERSARIAL, JUDGE = "generators/adversarial_a2b", "discriminators/b"


def told(lines, patience=0):
    """Kind and images of each sign."""
    signs = Signs(patience).replay(lines)
    return [(sign.kind, sign.images, sign.until) for sign in signs.told]


def losses(judge, liked):
    return [
        {"images": 200 * (i + 1), JUDGE: d, ADVERSARIAL: g, "lr/generators": 2e-4}
        for i, (d, g) in enumerate(zip(judge, liked, strict=True))
    ]


def test_a_sound_run_has_no_signs():
    lines = losses([0.2 + 0.05 * (i % 3) for i in range(60)], [0.4 + 0.1 * (i % 2) for i in range(60)])
    for i, line in enumerate(lines):
        line |= {"a2b/fid": 200.0 - i, "a2b/diversity": 0.6}
    assert told(lines, patience=1000) == []


def test_a_discriminator_has_won():
    count = LASTS + 10
    assert told(losses([0.01] * count, [0.95] * count)) == [("won", 200 * LASTS, None)]
    assert told(losses([0.01] * count, [0.95 - 0.03 * i for i in range(count)])) == []  # the generator catches up
    assert told(losses([0.2] + [0.01] * (LASTS - 2) + [0.2] * 3, [0.95] * (LASTS + 2))) == []  # a short dip


def test_a_wasserstein_critic_is_to_win():
    count = LASTS + 10
    assert told(losses([-3.0] * count, [0.95] * count)) == []


def test_a_loss_blows_up_and_comes_down_again():
    values = [0.5] * (LASTS + 5) + [8.0, 9.0] + [0.5] * 3
    signs = told(losses([0.2] * len(values), values))
    assert signs == [("blow-up", 200 * (LASTS + 6), 200 * (LASTS + 8))]
    assert told(losses([0.2] * 6, [50, 0.5, 0.5, 0.5, 6, 0.5])) == []  # at the beginning all goes


def test_a_collapse_is_told_at_the_second_figure():
    lines = [{"images": 1000 * i, "a2b/diversity": d} for i, d in enumerate([0.05, 0.6, 0.1, 0.05, 0.05, 0.7])]
    assert told(lines) == [("collapse", 3000, 5000)]


def test_no_improvement():
    lines = [{"images": 1000 * i, "a2b/fd-compact": f} for i, f in enumerate([9, 7, 8, 8, 8, 6])]
    assert told(lines, patience=3000) == [("patience", 4000, 5000)]
    assert told(lines, patience=5000) == []
    assert told(lines) == []


def test_texts_name_what_helps():
    count = LASTS + 1
    (sign,) = Signs().replay(losses([0.01] * count, [0.95] * count)).told
    assert "discriminators/b" in sign.text and "--method.discriminator-width" in sign.text
    assert "\n" not in sign.text


@pytest.mark.parametrize(
    ("name", "loss", "figure"),
    [
        ("generators/cycle_a", True, False),
        ("lr/generators", False, False),
        ("a2b/fid", False, True),
        ("a2b/fd-compact", False, True),
        ("a2b/kid", False, False),
        ("images", False, False),
    ],
)
def test_values_of_a_line(name, loss, figure):
    assert (is_loss(name), is_figure(name)) == (loss, figure)
