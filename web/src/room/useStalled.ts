import type { Room } from 'livekit-client';
import { useEffect, useState } from 'react';

import { ArrivalWatch, readArrival } from '../client/media/link/trouble';

// Nine of them exceed the silence that counts as a stall (2.6 s), so that ten at most pass before it is shown: 2.9 s.
const INTERVAL_MS = 290;

type Report = Iterable<readonly [string, Readonly<Record<string, unknown>>]>;

/** Whether no media is received at the moment, read from one track in each direction. */
export function useStalled(room: Room): boolean {
  const [stalled, setStalled] = useState(false);
  useEffect(() => {
    let current = true;
    const watches = { sending: new ArrivalWatch(), receiving: new ArrivalWatch() };
    const look = async (): Promise<void> => {
      const [sending, receiving] = await Promise.all([reportOf(ownTrack(room)), reportOf(othersTrack(room))]);
      const now = Date.now();
      const found = [
        [watches.sending, sending],
        [watches.receiving, receiving],
      ] as const;
      const isStalled = found.map(([watch, report]) => {
        const arrival = report === undefined ? undefined : readArrival(report, now);
        return arrival !== undefined && watch.stalled(arrival);
      });
      if (current) setStalled(isStalled.includes(true));
    };
    const timer = window.setInterval(() => void look(), INTERVAL_MS);
    return () => {
      current = false;
      window.clearInterval(timer);
    };
  }, [room]);
  return stalled;
}

interface Reporting {
  getRTCStatsReport: () => Promise<unknown>;
}

function ownTrack(room: Room): Reporting | undefined {
  for (const { track } of room.localParticipant.trackPublications.values())
    if (track !== undefined) return track;
  return undefined;
}

function othersTrack(room: Room): Reporting | undefined {
  for (const participant of room.remoteParticipants.values()) {
    for (const { track } of participant.trackPublications.values()) if (track !== undefined) return track;
  }
  return undefined;
}

async function reportOf(track: Reporting | undefined): Promise<Report | undefined> {
  return (await track?.getRTCStatsReport().catch(() => undefined)) as Report | undefined;
}
