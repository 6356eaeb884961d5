import { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { PAGE } from '../../client/classroom/board/items';
import type { Caller } from '../../client/classroom/call';
import { boardOf } from '../../client/recordings/board';
import { r } from '../../client/text/replay/texts';
import { fit, paint, wipe } from '../../stage/board/paint';
import { BoardPictures } from '../../stage/board/pictures';
import { useStore } from '../../ui/hooks/useStore';
import { ReplayedBoard } from './replayedBoard';

interface BoardStageProps {
  caller: Caller;
  session: string;
  /** Id of the recording. */
  recording: string;
  live: boolean;
  timeS: number;
  /** Something else is shown now; the board stays loaded. */
  hidden: boolean;
}

/** The whiteboard as it was at the current time. */
export function BoardStage({ caller, session, recording, live, timeS, hidden }: BoardStageProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [board, loaded] = useBoard(caller, recording, live);
  const drawn = board.at(timeS);
  const pictures = usePictures(caller, session);
  const { ready } = useStore(pictures.state);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context === null || context === undefined) return;
    fit(context);
    wipe(context);
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, PAGE.width, PAGE.height);
    for (const item of drawn.items) paint(context, item, pictures.get);
  }, [drawn, pictures, ready]);
  return (
    <>
      <canvas
        ref={canvas}
        className="replay-board"
        hidden={hidden}
        width={PAGE.width}
        height={PAGE.height}
        aria-label={r('stage.whiteboard')}
        data-testid="replay-board"
        data-page={drawn.page}
        data-items={drawn.items.length}
      />
      {!loaded && !hidden && (
        <p className="replay-loading" role="status">
          {r('player.loading')}
        </p>
      )}
    </>
  );
}

/** The images on the whiteboard, which are files of the session. */
function usePictures(caller: Caller, session: string): BoardPictures {
  const [pictures] = useState(() => new BoardPictures(caller, session));
  useEffect(() => () => pictures.close(), [pictures]);
  return pictures;
}

const LIVE_MS = 4000;
const RETRY_MS = 4000;

/** Loads what happened on the whiteboard; while the session is live, also what happens now. */
function useBoard(caller: Caller, recording: string, live: boolean): [ReplayedBoard, boolean] {
  const [board] = useState(() => new ReplayedBoard());
  const after = useRef(0);
  const [loaded, setLoaded] = useState(false);
  // Shows what has been added: the board itself stays the same object.
  const [, setCount] = useState(0);
  useEffect(() => {
    let current = true;
    let timer = 0;
    const load = async (): Promise<void> => {
      try {
        const found = await boardOf(caller, recording, after.current);
        if (!current) return;
        after.current = found.upto;
        board.add(found.events);
        setCount(found.upto);
        if (found.more) {
          await load();
          return;
        }
        setLoaded(true);
        if (live) timer = window.setTimeout(() => void load(), LIVE_MS);
      } catch {
        if (current) timer = window.setTimeout(() => void load(), RETRY_MS);
      }
    };
    void load();
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [board, caller, recording, live]);
  return [board, loaded];
}
