"""A photograph in the style of a painting, from Python.

    python examples/stylize.py PHOTO STYLE OUT

OUT is the photograph in the full style; its extension says the format.
"""

import sys

import sfumato


def main() -> None:
    photo, style, out = sys.argv[1:]

    # One picture, the bundled model: same size and mode, alpha kept.
    sfumato.stylize(photo, style).save(out)

    # Many pictures: make the translator once. It remembers the styles that it has seen.
    translate = sfumato.Translator("microast/art")
    for strength in (0.25, 0.5, 0.75):
        translate(photo, style, strength=strength, keep_colors="luminance")


if __name__ == "__main__":
    main()
