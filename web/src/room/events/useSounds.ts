/** Two short sounds, synthesised by the browser: no audio file is loaded. */
import { RoomEvent, type Room } from 'livekit-client';
import { useEffect, useRef } from 'react';

const NOTES_HZ = { join: [523, 784], knock: [392, 392] } as const;
const NOTE_S = 0.14;
const LOUDNESS = 0.08;
// After the notes, on a busy page as well.
const CLOSE_MS = 2000;

/** Play a sound; nothing happens if the browser does not allow sound yet. */
export function playSound(sound: keyof typeof NOTES_HZ): void {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.connect(context.destination);
  NOTES_HZ[sound].forEach((frequency, index) => {
    const begin = context.currentTime + index * NOTE_S;
    const note = context.createOscillator();
    note.frequency.value = frequency;
    note.connect(gain);
    // Without a ramp, a tone starts and ends with a click.
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + NOTE_S);
    note.start(begin);
    note.stop(begin + NOTE_S);
  });
  // A context that may not play yet never says that it has ended.
  setTimeout(() => void context.close(), CLOSE_MS);
}

/** Whether to play a sound when a person joins a meeting with this many people: see `Appearance.ding`. */
export function isHeard(ding: boolean | number, people: number): boolean {
  return typeof ding === 'number' ? people <= ding : ding;
}

/** Play a sound when a person joins the room, and when a person starts waiting for admission. */
export function useSounds(room: Room, ding: boolean | number, waiting: number): void {
  useEffect(() => {
    const listen = (): void => {
      if (isHeard(ding, room.remoteParticipants.size + 1)) playSound('join');
    };
    room.on(RoomEvent.ParticipantConnected, listen);
    return () => {
      room.off(RoomEvent.ParticipantConnected, listen);
    };
  }, [room, ding]);
  const before = useRef(0);
  useEffect(() => {
    if (waiting > before.current) playSound('knock');
    before.current = waiting;
  }, [waiting]);
}
