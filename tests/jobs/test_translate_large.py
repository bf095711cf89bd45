"""Large pictures: in tiles, without much memory, with progress."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image
from stylizers import made_photo, make_microast

from sfumato.errors import Cancelled
from sfumato.image import from_any, size_of
from sfumato.options import Options
from sfumato.translate import Translator, translator

STYLE = made_photo(80, 80, seed=5)

HUGE = """
import json, resource, sys, numpy as np
from sfumato import device, image
from sfumato.methods import microast
from sfumato.translate import Translator
device.keep_memory()  # as the commands do
made = Translator(microast.Model(), device="cpu")
style = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
image.write(sys.argv[2], made.translate_picture(image.read(sys.argv[1]), [style]))
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)))
"""


def test_three_megapixels_in_tiles_are_those_at_once(monkeypatch):
    photo = from_any(made_photo(1500, 2000))
    model = make_microast()
    heard = []
    monkeypatch.setattr(translator, "CPU_MEMORY", 400_000 * model.pixel_bytes)
    made = Translator(model, device="cpu", precision="fp32")
    assert 256 < made.tile_for(1500 * 2000) < 700
    tiled = made.translate_picture(photo, [STYLE], Options(strength=0.8), progress=lambda *now: heard.append(now))
    whole = Translator(model, 0, device="cpu", precision="fp32").translate_picture(
        photo, [STYLE], Options(strength=0.8)
    )
    different = np.abs(tiled.pixels.astype(int) - whole.pixels)
    assert different.max() <= 1
    assert (different > 0).mean() < 1e-3  # only where a value lies between two
    assert [done for done, _ in heard] == sorted(done for done, _ in heard)
    assert heard[-1] == (3_000_000, 3_000_000)


def test_a_large_picture_is_given_up_soon():
    photo = from_any(made_photo(1200, 1600))
    made = Translator(make_microast(), 512, device="cpu", precision="fp32")
    heard = []

    def report(done, total):
        heard.append(time.monotonic())
        return done < total / 3

    with pytest.raises(Cancelled):
        made.translate_picture(photo, [STYLE], progress=report)
    assert len(heard) > 20


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_hundred_megapixels_in_four_gigabytes(tmp_path):
    clouds = Image.fromarray(made_photo(160, 160)).resize((10_000, 10_000), Image.Resampling.BICUBIC)
    clouds.save(tmp_path / "photo.jpg", quality=90)
    del clouds
    command = [sys.executable, "-W", "error", "-c", HUGE, str(tmp_path / "photo.jpg"), str(tmp_path / "result.png")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) < 4
    assert size_of(tmp_path / "result.png") == (10_000, 10_000)
