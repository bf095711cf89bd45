"""The published MicroAST weights: read, used, and written as one model file.

    python examples/official.py FOLDER OUT.safetensors

FOLDER holds the authors' four files (github.com/EndyWon/MicroAST, models/).
"""

import sys
from pathlib import Path

import sfumato
from sfumato import zoo


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    roles = ("content_encoder", "style_encoder", "modulator", "decoder")
    files = {role: next(folder.glob(f"{role}_*.tar")) for role in roles}
    model = sfumato.import_official("microast", files)  # called as model(content, style, strength), on tensors
    print(type(model).__name__, "reads", len(files), "files")
    card = zoo.convert("microast", files, out)
    print(out, card.title)


if __name__ == "__main__":
    main()
