"""How legible a picture of a slide is: words that tesseract reads of those that are there, and distance in pixels."""

import difflib
import io
import os
import re
import shutil
import subprocess

import numpy as np
from PIL import Image

LEGIBLE = 0.95
# Below this a picture is of another slide, or a blur: not worth a look by tesseract, which takes a second of CPU.
_HOPELESS_DB = 15.0


def missing() -> str:
    """What keeps this machine from reading; empty: nothing."""
    return "" if shutil.which("tesseract") else "needs tesseract (tesseract-ocr)"


def grey(picture: bytes) -> np.ndarray:
    """The luminance of a JPEG or PNG."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("L"), np.float64)


def psnr_db(seen: np.ndarray, original: np.ndarray) -> float:
    """Peak signal-to-noise ratio."""
    error = float(np.mean((seen - original) ** 2))
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def ssim(seen: np.ndarray, original: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004), over blocks of 8x8 instead of a sliding window."""
    height, width = (each // 8 * 8 for each in original.shape)

    def blocks(picture: np.ndarray) -> np.ndarray:
        cut = picture[:height, :width].reshape(height // 8, 8, width // 8, 8)
        return cut.transpose(0, 2, 1, 3).reshape(-1, 64)

    a, b = blocks(seen), blocks(original)
    mean_a, mean_b = a.mean(1), b.mean(1)
    covariance = (a * b).mean(1) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (a.var(1) + b.var(1) + c2)
    return float((top / bottom).mean())


def words_in(picture: bytes) -> list[str]:
    """What tesseract reads, as words in small letters."""
    command = ["tesseract", "stdin", "stdout", "--psm", "6", "-l", "eng"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    read = subprocess.run(command, input=picture, capture_output=True, check=True, env=environment)
    return re.findall(r"[a-z]+", read.stdout.decode("utf-8", "replace").lower())


def accuracy(read: list[str], words: list[str]) -> float:
    """The share of words that were read, in order."""
    matcher = difflib.SequenceMatcher(None, words, read, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()) / len(words)


def legibility(picture: bytes, original: np.ndarray, words: list[str]) -> float:
    """The share of a slide's words that a picture of it shows; 0 when it hardly resembles the slide."""
    if psnr_db(grey(picture), original) < _HOPELESS_DB:
        return 0.0
    return accuracy(words_in(picture), words)
