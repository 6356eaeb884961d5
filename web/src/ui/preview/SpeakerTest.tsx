import { useState } from 'react';

import { t } from '../../client/text/catalogue';
import { Button } from '../controls/Button';
import { DeviceSelect } from '../controls/DeviceSelect';

const NOTES_HZ = [440, 554, 659];
const NOTE_S = 0.3;

/** Browsers that do not let a page choose a speaker have no `setSinkId`. */
const CAN_CHOOSE = 'setSinkId' in HTMLMediaElement.prototype;

interface SpeakerTestProps {
  /** Id of the chosen speaker; empty for the system's. */
  speaker: string;
  revision: unknown;
  onChoose: (id: string) => void;
}

/** Choose the speaker and play three notes on it. */
export function SpeakerTest({ speaker, revision, onChoose }: SpeakerTestProps) {
  const [playing, setPlaying] = useState(false);
  const test = async (): Promise<void> => {
    setPlaying(true);
    await playNotes(speaker).catch(() => undefined);
    setPlaying(false);
  };
  return (
    <div className="speaker-test">
      {CAN_CHOOSE && <DeviceSelect kind="speaker" active={speaker} revision={revision} onChoose={onChoose} />}
      <Button
        look="quiet"
        icon="speaker"
        testId="test-speaker"
        disabled={playing}
        onPress={() => void test()}
      >
        {t(playing ? 'lobby.speakerPlaying' : 'lobby.speakerTest')}
      </Button>
    </div>
  );
}

/** Play three rising notes on a speaker. They are synthesised, so no audio file is loaded. */
async function playNotes(speaker: string): Promise<void> {
  const context = new AudioContext();
  const target = context.createMediaStreamDestination();
  NOTES_HZ.forEach((frequency, index) => {
    const begin = context.currentTime + index * NOTE_S;
    const note = context.createOscillator();
    const gain = context.createGain();
    note.frequency.value = frequency;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(0.2, begin + 0.03);
    gain.gain.linearRampToValueAtTime(0, begin + NOTE_S);
    note.connect(gain).connect(target);
    note.start(begin);
    note.stop(begin + NOTE_S);
  });
  const audio = new Audio();
  audio.srcObject = target.stream;
  if (CAN_CHOOSE && speaker !== '') await audio.setSinkId(speaker).catch(() => undefined);
  await audio.play();
  await new Promise((resolve) => window.setTimeout(resolve, NOTES_HZ.length * NOTE_S * 1000 + 200));
  await context.close();
}
