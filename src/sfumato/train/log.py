"""What a run tells: log.jsonl, sample grids, a progress line."""

import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .recipe import Recipe


class Log:
    def __init__(self, run: Path, recipe: Recipe, seen: int, *, quiet: bool) -> None:
        self.run, self.recipe, self.quiet, self.sums, self.count = run, recipe, quiet, {}, 0
        self.start, self.first, self.waited = time.time(), seen, 0.0

    def step(self, seen: int, record: dict[str, float], waited: float) -> None:
        self.waited += waited
        self.count += 1
        for k, v in record.items():
            self.sums[k] = self.sums.get(k, 0) + v
        if self.count == 50:
            rate = (seen - self.first) / (time.time() - self.start)
            line = {"images": seen, "images_per_s": rate, "data_share": self.waited / (time.time() - self.start)}
            line |= {k: v / self.count for k, v in self.sums.items()}
            with open(self.run / "log.jsonl", "a") as f:
                f.write(json.dumps({k: round(v, 5) for k, v in line.items()}) + "\n")
            if not self.quiet:
                print(" ".join(f"{k}={v:.4g}" for k, v in line.items()), flush=True)
            self.sums, self.count = {}, 0

    def samples(self, seen: int, pictures: dict[str, Tensor]) -> None:
        if pictures:
            import cv2

            grid = torch.cat([torch.cat(list(p[:6]), 2) for p in pictures.values()], 1)
            (self.run / "samples").mkdir(exist_ok=True)
            a = (grid.detach().float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
            cv2.imwrite(str(self.run / "samples" / f"{seen:08d}.jpg"), np.ascontiguousarray(a[:, :, ::-1]))

    def close(self) -> None: ...
