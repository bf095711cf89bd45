"""Pictures of other kinds than most come in and are seen."""

import io

import numpy as np
import pytest
from PIL import Image
from studios import encoded, opened
from stylizers import made_photo


def odd(form, mode, **settings):
    """A picture of another kind than most."""
    buffer = io.BytesIO()
    Image.fromarray(made_photo(80, 90)).convert(mode).save(buffer, form, **settings)
    return buffer.getvalue()


ODD = {
    "four inks": (odd("JPEG", "CMYK"), 8, False),
    "grey": (odd("JPEG", "L"), 8, False),
    "one bit": (odd("PNG", "1"), 8, False),
    "palette": (odd("PNG", "P"), 8, False),
    "palette with a hole": (odd("PNG", "P", transparency=3), 8, True),
    "grey with transparency": (odd("PNG", "LA"), 8, True),
    "deep grey": (encoded(made_photo(80, 90)[..., 0].astype(np.uint16) * 257), 16, False),
    "two pictures in one file": (
        odd("MPO", "RGB", save_all=True, append_images=[Image.new("RGB", (90, 80))]),
        8,
        False,
    ),
    "a profile that is none": (odd("JPEG", "RGB", icc_profile=b"no profile" * 20), 8, False),
    "notes that are none": (odd("JPEG", "RGB", exif=b"Exif\0\0MM\0*nonsense"), 8, False),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
@pytest.mark.parametrize(("content", "bits", "transparent"), ODD.values(), ids=ODD)
def test_odd_pictures_are_taken_and_seen(browser, content, bits, transparent):
    made = browser.upload(content)
    assert (made["size"], made["bits"], made["transparent"]) == ([90, 80], bits, transparent)
    seen = opened(browser.ask("GET", f"/api/photos/{made['id']}/preview").body).convert("L")
    assert seen.size == (90, 80)
    assert np.abs(np.asarray(seen, int) - np.asarray(opened(content).convert("L"), int)).mean() < 16 or bits == 16
