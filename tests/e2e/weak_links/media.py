"""What the tutor's microphone and camera give: files that Chromium plays in a loop as its fake devices."""

import wave
from pathlib import Path

import numpy as np

RATE = 48_000
_SPEECH_S = 12
_WIDTH, _HEIGHT, _FPS, _FRAMES = 1280, 720, 15, 45


def write_speech(path: Path) -> None:
    """Syllables of a voice with changing pitch and formants, four to five a second, and a pause after each sentence.

    Opus spends on it what it spends on speech, and what is missing is missed: a test tone would be made up perfectly.
    """
    random = np.random.default_rng(7)
    sound = np.zeros(RATE * _SPEECH_S)
    at = 0.0
    while at < _SPEECH_S - 0.5:
        sentence_end = at + random.uniform(2.0, 3.5)
        while at < min(sentence_end, _SPEECH_S - 0.4):
            length_s = random.uniform(0.12, 0.28)
            first = int(at * RATE)
            time = np.arange(int(length_s * RATE)) / RATE
            pitch = random.uniform(100, 180) * (1 + 0.1 * np.sin(2 * np.pi * random.uniform(2, 5) * time))
            phase = 2 * np.pi * np.cumsum(pitch) / RATE
            formants = random.uniform((300, 900, 2200), (800, 2100, 3000))
            voice = np.zeros_like(time)
            for harmonic in range(1, 24):
                near = sum(np.exp(-(((harmonic * 140 - f) / 180) ** 2)) for f in formants)
                voice += (0.08 + near) / harmonic**0.5 * np.sin(harmonic * phase)
            breath = random.normal(0, 0.25, len(time))
            envelope = np.sin(np.pi * np.arange(len(time)) / len(time)) ** 0.6
            sound[first : first + len(time)] += 0.12 * envelope * (voice + breath)
            at += length_s + random.uniform(0.01, 0.05)
        at += random.uniform(0.3, 0.7)
    samples = (np.clip(sound, -1, 1) * 32_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())


def write_camera(path: Path) -> None:
    """A textured head that moves before a textured wall, with the noise of a sensor; 1280x720, 15 frames/s (Y4M)."""
    random = np.random.default_rng(11)
    wall = _texture(random, _HEIGHT, _WIDTH)
    head = _texture(random, 420, 320) + 40
    rows, columns = np.ogrid[:420, :320]
    inside = ((rows - 210) / 210) ** 2 + ((columns - 160) / 160) ** 2 < 1
    grey = np.full(_WIDTH * _HEIGHT // 2, 128, np.uint8).tobytes()
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F{_FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(_FRAMES):
            angle = 2 * np.pi * number / _FRAMES
            top, left = int(180 + 25 * np.sin(2 * angle)), int(480 + 60 * np.sin(angle))
            picture = wall.copy()
            part = picture[top : top + 420, left : left + 320]
            part[inside] = head[inside]
            picture += random.normal(0, 3, picture.shape)
            file.write(b"FRAME\n" + np.clip(picture, 16, 235).astype(np.uint8).tobytes() + grey)


def _texture(random: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Smooth noise of several scales."""
    total = np.full((height, width), 110.0)
    for step in (160, 40, 10):
        coarse = random.normal(0, step / 6, (height // step + 2, width // step + 2))
        total += np.kron(coarse, np.ones((step, step)))[:height, :width]
    return total
