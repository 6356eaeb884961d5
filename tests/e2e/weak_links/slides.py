"""The slides that the tutor shows: pages of small text whose words are known."""

import random
from dataclasses import dataclass

TITLE = "Lectern slides"
WIDTH, HEIGHT = 1920, 1080
WORDS = 360
# Where the prose lies on the slide: left, top, width, height.
PROSE = (40, 110, 1180, 700)

_VOCABULARY = (  # noqa: SIM905 - 150 words are easier to read without quotes
    "the of and to in that is was for with as on by at from this have are not but which one had all were when there "
    "can more about other into than time some could them only new then now look come its over think also back after "
    "use two how our work first well way even want because these give most us energy force matter water light field "
    "number angle square circle integral function vector matrix proof theorem lemma equation solve system linear "
    "graph vertex edge path tree search order sort array string pointer memory process thread network packet router "
    "signal noise filter sample frequency phase current voltage charge circuit motor engine metal carbon oxygen atom "
    "molecule reaction solution acid base cell tissue plant animal river mountain valley desert climate weather rain "
    "history empire city trade market price demand supply labour capital interest bank letter grammar verb noun "
    "sentence meaning author novel poem chapter student teacher lesson question answer example exercise homework"
).split()

_PAGE = """<!doctype html><html><head><meta charset="utf-8"><title>%(title)s</title><style>
  body { margin: 0; width: %(width)dpx; height: %(height)dpx; background: #fff; color: #111;
    font: 16px/24px "DejaVu Sans", sans-serif; overflow: hidden; position: relative; }
  h1 { position: absolute; left: 40px; top: 24px; margin: 0; font-size: 40px; line-height: 56px; color: #134; }
  #prose { position: absolute; left: 48px; top: 118px; width: 1160px; }
  pre { position: absolute; left: 1260px; top: 110px; margin: 0; font: 16px/22px "DejaVu Sans Mono", monospace; }
  canvas { position: absolute; left: 48px; top: 830px; }
  #caret { position: absolute; left: 1262px; top: 800px; width: 9px; height: 20px; background: #111; }
</style></head><body><h1></h1><div id="prose"></div><pre></pre><canvas width="1160" height="220"></canvas>
<div id="caret"></div><script>
  setInterval(() => { caret.hidden = !caret.hidden; }, 530);
  window.show = ({title, words, code, bars}) => {
    document.querySelector('h1').textContent = title;
    document.getElementById('prose').textContent = words.join(' ');
    document.querySelector('pre').textContent = code.join('\\n');
    const drawing = document.querySelector('canvas').getContext('2d');
    drawing.clearRect(0, 0, 1160, 220);
    bars.forEach((height, i) => {
      drawing.fillStyle = `hsl(${i * 23} 60%% 50%%)`;
      drawing.fillRect(10 + i * 48, 210 - height, 36, height);
    });
  };
</script></body></html>
"""

PAGE = _PAGE % {"title": TITLE, "width": WIDTH, "height": HEIGHT}


@dataclass(frozen=True)
class Slide:
    """One slide; equal numbers give equal slides."""

    number: int

    @property
    def words(self) -> list[str]:
        """The words of its prose, in order."""
        chosen = random.Random(self.number)
        return [chosen.choice(_VOCABULARY) for _ in range(WORDS)]

    def arguments(self) -> dict[str, object]:
        """What the page's `show` takes."""
        chosen = random.Random(-1 - self.number)
        code = [
            f"{'    ' * chosen.randrange(3)}{chosen.choice(_VOCABULARY)}_{chosen.choice(_VOCABULARY)}"
            f"({chosen.randrange(1000)}, {chosen.choice(_VOCABULARY)})"
            for _ in range(29)
        ]
        return {
            "title": f"{self.number + 1}. {' '.join(self.words[:4])}",
            "words": self.words,
            "code": code,
            "bars": [chosen.randrange(20, 200) for _ in range(24)],
        }
