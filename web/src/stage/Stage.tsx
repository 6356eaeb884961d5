import { useParticipants, useTracks, type TrackReferenceOrPlaceholder } from '@livekit/components-react';
import { RoomEvent, Track } from 'livekit-client';
import { useContext, useRef, useState } from 'react';

import { t } from '../client/text/catalogue';
import { IconButton } from '../ui/controls/IconButton';
import { arrange, arrangeColumns, PER_PAGE, type Size } from './layout';
import { More } from './More';
import { order, tileKey, type Placed, type Wanted } from './order';
import { StageContext, type StageRules } from './rules';
import { Tile } from './Tile';
import { useSize } from './useSize';

const SOURCES = [
  { source: Track.Source.Camera, withPlaceholder: true },
  { source: Track.Source.ScreenShare, withPlaceholder: false },
];

interface StageProps extends Wanted {
  /** Leave out the user's own camera. */
  hideOwn?: boolean;
  /** Leave out all tiles but the large one, if there is a large one. */
  hideOthers?: boolean;
  /** Whether single keys zoom the large picture. */
  keys?: boolean;
  onPin: (tile: string | undefined) => void;
}

/** The tiles of all participants, with a scene or a shared screen shown large. */
export function Stage({
  pinned,
  speaker,
  hideOwn = false,
  hideOthers = false,
  keys = false,
  onPin,
}: StageProps) {
  const [area, attach] = useSize();
  const list = useRef<HTMLDivElement>(null);
  // Render again when a hand is raised.
  useParticipants({ updateOnlyOn: [RoomEvent.ParticipantAttributesChanged] });
  const rules = useContext(StageContext);
  const placed = placing(rules);
  const tracks = useTracks(SOURCES, { onlySubscribed: false }).filter(
    (track) =>
      !isOwnScreen(track) &&
      !(hideOwn && track.participant.isLocal) &&
      (!isScreen(track) || rules.showsScreen(track.participant.identity)),
  );
  const { scene } = rules;
  const ordered = order(tracks, placed, { pinned, speaker });
  const stage = scene === undefined ? ordered.stage : undefined;
  const hasLarge = scene !== undefined || stage !== undefined;
  const small =
    scene === undefined || ordered.stage === undefined ? ordered.others : [ordered.stage, ...ordered.others];
  const all = hideOthers && hasLarge ? [] : small;
  const pages = usePages(all.length, rules.paged === true && !hasLarge);
  const others = pages === undefined ? all : all.slice(pages.from, pages.from + PER_PAGE);
  const layout =
    rules.paged === true && !hasLarge
      ? arrangeColumns(others.length, pages === undefined ? area : above(area))
      : arrange(others.length, hasLarge, area, BAR_HEIGHT);
  const pinOf = (track: TrackReferenceOrPlaceholder) => {
    const key = tileKey(placed(track));
    return { pinned: key === pinned, onPin: (wanted: boolean) => onPin(wanted ? key : undefined) };
  };
  return (
    <div ref={attach} className="stage-area">
      {/* Nothing before the first measurement: adaptive stream does not subscribe to tiles of size 0. */}
      {area.width > 0 && (
        <div className={`stage stage-${layout.kind}`}>
          {scene !== undefined && <div className="scene">{scene}</div>}
          {stage !== undefined && (
            <Tile key={`large/${keyOf(stage)}`} track={stage} large keys={keys} {...pinOf(stage)} />
          )}
          {others.length > 0 && (
            <div ref={list} className={pages === undefined ? 'others' : 'others others-paged'}>
              <div className="others-block" style={{ width: 'width' in layout ? layout.width : undefined }}>
                {others.map((track) => (
                  <Tile key={keyOf(track)} track={track} size={layout.tile} {...pinOf(track)} />
                ))}
              </div>
            </div>
          )}
          {others.length > 0 && <More list={list} layout={layout} count={others.length} />}
        </div>
      )}
      {pages !== undefined && <Pager pages={pages} all={all.length} />}
    </div>
  );
}

// The row with name and buttons below a large picture; the same height as in `room.css` and `scenes.css`.
const BAR_HEIGHT = 48;

// Room for the bar that turns pages; the same height as in `room.css`.
const PAGER_HEIGHT = 56;

function above({ width, height }: Size): Size {
  return { width, height: Math.max(height - PAGER_HEIGHT, 0) };
}

interface Pages {
  from: number;
  turn: (by: number) => void;
}

/** The page of tiles that is shown; undefined where all fit on one. */
function usePages(count: number, on: boolean): Pages | undefined {
  const [page, setPage] = useState(0);
  if (!on || count <= PER_PAGE) return undefined;
  // People may have left since.
  const shown = Math.min(page, Math.ceil(count / PER_PAGE) - 1);
  return { from: shown * PER_PAGE, turn: (by) => setPage(shown + by) };
}

function Pager({ pages, all }: { pages: Pages; all: number }) {
  const to = Math.min(pages.from + PER_PAGE, all);
  return (
    <div className="pager" data-testid="pager">
      <IconButton
        look="bare"
        icon="previous"
        label={t('stage.previous')}
        testId="pager-previous"
        disabled={pages.from === 0}
        onPress={() => pages.turn(-1)}
      />
      <p role="status">{t('stage.page', { from: pages.from + 1, to, all })}</p>
      <IconButton
        look="bare"
        icon="next"
        label={t('stage.next')}
        testId="pager-next"
        disabled={to === all}
        onPress={() => pages.turn(1)}
      />
    </div>
  );
}

// Its owner sees the screen anyway, and a shared browser window would show itself within itself without end.
function isOwnScreen(track: TrackReferenceOrPlaceholder): boolean {
  return track.participant.isLocal && isScreen(track);
}

function isScreen({ source }: TrackReferenceOrPlaceholder): boolean {
  return source === Track.Source.ScreenShare;
}

function placing({ handAt }: StageRules): (track: TrackReferenceOrPlaceholder) => Placed {
  return (track) => ({
    isLocal: track.participant.isLocal,
    isScreen: isScreen(track),
    identity: track.participant.identity,
    joinedAt: track.participant.joinedAt?.getTime() ?? 0,
    handAt: handAt(track.participant),
  });
}

function keyOf({ participant, source }: TrackReferenceOrPlaceholder): string {
  return `${source}/${participant.identity}`;
}
