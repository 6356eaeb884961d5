import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react';

import type { Caller } from '../client/classroom/call';
import { pathOf } from '../client/classroom/sessions';
import { r, type ReplayKey } from '../client/text/replay/texts';
import type { Player, PlayerState } from './media/player';
import type { Large } from './scene';

// With Yjs, which only recordings with a whiteboard need.
const BoardStage = lazy(async () => ({ default: (await import('./board/BoardStage')).BoardStage }));

interface StageProps {
  player: Player;
  state: PlayerState;
  names: ReadonlyMap<string, string>;
  caller: Caller;
  session: string;
  /** Id of the recording. */
  recording: string;
  /** Captions. */
  children?: ReactNode;
}

/** The scene at the current time: a large picture, and the speaker's face in the corner. */
export function ReplayStage({ player, state, names, caller, session, recording, children }: StageProps) {
  const { large, small } = state.arrangement;
  const [boarded, setBoarded] = useState(false);
  if (large.kind === 'whiteboard' && !boarded) setBoarded(true);
  const person = (number: number): string => {
    const track = player.track(number);
    const name = names.get(track?.person ?? '') ?? track?.person ?? '';
    return track?.source === 'screen_share' ? r('stage.screenOf', { name }) : name;
  };
  return (
    <div className="replay-stage" data-testid="replay-stage" data-large={large.kind}>
      {large.kind === 'track' && (
        <Picture
          key={`large ${large.number}`}
          element={player.element(large.number)}
          caption={person(large.number)}
          look="large"
        />
      )}
      {large.kind === 'slide' && <Slide caller={caller} session={session} slide={large} />}
      {boarded && (
        <Suspense fallback={null}>
          <BoardStage
            caller={caller}
            session={session}
            recording={recording}
            live={state.live}
            timeS={state.timeS}
            hidden={large.kind !== 'whiteboard'}
          />
        </Suspense>
      )}
      {state.gap !== undefined && large.kind !== 'slide' && (
        <p className="replay-words" data-testid="replay-gap" data-reason={state.gap}>
          {gapWords(state.gap)}
        </p>
      )}
      {small !== undefined && (
        <Picture
          key={`small ${small}`}
          element={player.element(small)}
          caption={person(small)}
          look="small"
        />
      )}
      {children}
      {state.loading && state.playing && (
        <p className="replay-loading" role="status">
          {r('player.loading')}
        </p>
      )}
    </div>
  );
}

const REASONS: Readonly<Record<string, ReplayKey>> = {
  muted: 'gap.muted',
  absent: 'gap.absent',
  lost: 'gap.lost',
  dropped: 'gap.dropped',
  undecodable: 'gap.undecodable',
  interrupted: 'gap.interrupted',
};

function gapWords(reason: string): string {
  return r((REASONS[reason] ?? 'gap.none') as 'gap.none');
}

interface PictureProps {
  element: HTMLMediaElement | undefined;
  caption: string;
  look: 'large' | 'small';
}

/** A media element of the player, placed in the page. */
function Picture({ element, caption, look }: PictureProps) {
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (element !== undefined) frame.current?.replaceChildren(element);
  }, [element]);
  return (
    <figure className={`replay-picture replay-picture-${look}`} data-testid={`replay-${look}`}>
      <div ref={frame} className="replay-frame" />
      <figcaption dir="auto">{caption}</figcaption>
    </figure>
  );
}

interface SlideProps {
  caller: Caller;
  session: string;
  slide: Extract<Large, { kind: 'slide' }>;
}

function Slide({ caller, session, slide }: SlideProps) {
  const { deck, page } = slide;
  const [shown, setShown] = useState<{ url: string; page: number }>();
  useEffect(() => {
    let url = '';
    let current = true;
    caller
      .load(`${pathOf(session)}/slides/${encodeURIComponent(deck)}/pages/${page}`)
      .then((blob) => {
        if (!current) return;
        url = URL.createObjectURL(blob);
        setShown({ url, page });
      })
      .catch(() => {
        if (current) setShown(undefined);
      });
    return () => {
      current = false;
      if (url !== '') URL.revokeObjectURL(url);
    };
  }, [caller, session, deck, page]);
  if (shown === undefined) return <p className="replay-words">{r('stage.slide', { page })}</p>;
  return <img className="replay-slide" src={shown.url} alt={r('stage.slide', { page: shown.page })} />;
}
