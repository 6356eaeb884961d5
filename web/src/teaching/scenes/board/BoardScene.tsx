import { useCallback, useEffect, useMemo, useState } from 'react';

import { PAGE, type Item } from '../../../client/classroom/board/items';
import { BoardPage } from '../../../client/classroom/board/page';
import { may } from '../../../client/classroom/live/permissions';
import { pathOf } from '../../../client/classroom/sessions';
import { problemWords } from '../../../client/classroom/words';
import { textOf } from '../../../client/json';
import { s } from '../../../client/text/sessions/texts';
import type { Size } from '../../../stage/layout';
import { imageOf } from '../../../stage/board/paint';
import { BoardPictures } from '../../../stage/board/pictures';
import { useSize } from '../../../stage/useSize';
import { Menu, type MenuEntry } from '../../../ui/controls/Menu';
import { IconButton } from '../../../ui/controls/IconButton';
import { TEACHING } from '../../../ui/controls/teachingIcons';
import { useStore } from '../../../ui/hooks/useStore';
import { Confirm } from '../../../ui/surfaces/Confirm';
import { useLive } from '../../live/context';
import { saveBlob } from '../../saveBlob';
import { usePageKeys } from '../pageTurning';
import { BoardCanvas } from './BoardCanvas';
import { BoardTools } from './BoardTools';
import { FIRST_CHOSEN, type Chosen } from './tools';

/** The page of the whiteboard that everybody sees. */
export function BoardScene() {
  const { state, wire, session } = useLive();
  const { current } = state.board;
  const [attempt, setAttempt] = useState(0);
  const [opened, setOpened] = useState<BoardPage>();
  useEffect(() => {
    if (current === '') return undefined;
    const page = new BoardPage(session, current, (error) => {
      wire.tell(problemWords(error));
      setAttempt((before) => before + 1);
    });
    void page.load();
    // An effect, because the page has to be closed; it is shown once it is loaded.
    // eslint-disable-next-line react-hooks/set-state-in-effect -- see above
    setOpened(page);
    return () => page.close();
    // Opening the page again discards the refused changes.
  }, [session, wire, current, attempt]);
  if (opened?.id !== current) return <div className="board tile" data-testid="board" />;
  return <OpenPage key={`${current} ${attempt}`} page={opened} />;
}

function OpenPage({ page }: { page: BoardPage }) {
  const { state, staff, session } = useLive();
  const drawing = useStore(page.state);
  const [chosen, setChosen] = useState<Chosen>(FIRST_CHOSEN);
  const [pictures] = useState(() => new BoardPictures(session.caller, session.id));
  useEffect(() => () => pictures.close(), [pictures]);
  // Whatever tool was chosen while the image was sent: it has to be put into its place.
  const showImage = useCallback(
    (image: string) => setChosen((before) => ({ ...before, tool: 'move', image })),
    [],
  );
  const [area, attach] = useSize();
  const draws = may(state.permissions, state.people.role, 'whiteboard.draw');
  const size = usePageSize(area);
  return (
    <section
      className="board tile"
      aria-label={s('scene.whiteboard')}
      data-testid="board"
      data-loaded={drawing.loaded}
      data-unsaved={drawing.unsaved}
    >
      <div ref={attach} className="board-area">
        {size.width > 0 && (
          <BoardCanvas
            page={page}
            items={drawing.items}
            size={size}
            pictures={pictures}
            chosen={draws && drawing.loaded ? chosen : undefined}
            onChosen={setChosen}
          />
        )}
        {!drawing.loaded && (
          <p className="tile-loading" role="status">
            {s('board.loading')}
          </p>
        )}
      </div>
      <div className="board-bar">
        {draws && (
          <BoardTools
            page={page}
            drawing={drawing}
            chosen={chosen}
            laser={staff}
            onChosen={setChosen}
            onImage={showImage}
          />
        )}
        <Pages page={page} draws={draws} items={drawing.items} pictures={pictures} />
      </div>
    </section>
  );
}

/** The largest page that fits into an area. */
function usePageSize({ width, height }: Size): Size {
  return useMemo(() => {
    const scale = Math.min(width / PAGE.width, height / PAGE.height);
    return { width: Math.floor(PAGE.width * scale), height: Math.floor(PAGE.height * scale) };
  }, [width, height]);
}

interface PagesProps {
  page: BoardPage;
  draws: boolean;
  items: readonly Item[];
  pictures: BoardPictures;
}

/** Turning pages, and the actions of staff for them. */
function Pages({ page, draws, items, pictures }: PagesProps) {
  const { state, staff, run, drop, session, wire } = useLive();
  const [removing, setRemoving] = useState(false);
  const { pages, current } = state.board;
  const index = pages.indexOf(current);
  const turn = (by: number): void => {
    const next = pages[index + by];
    if (next !== undefined) void run(`/whiteboards/${next}/go-to`);
  };
  usePageKeys(staff ? turn : undefined);
  const add = (): void =>
    void wire.run(async () => {
      const id = textOf((await session.command('/whiteboards'))['id']);
      await session.command(`/whiteboards/${id}/go-to`);
    });
  const open = state.permissions.everyone['whiteboard.draw'] === true;
  const entries: MenuEntry[] = [
    {
      id: 'board-export',
      icon: TEACHING.image,
      label: s('board.export'),
      onAction: () =>
        void wire.run(async () => saveBlob(await imageOf(items, pictures), `board-${index + 1}.png`)),
    },
  ];
  entries.push({
    id: 'board-pdf',
    icon: TEACHING.download,
    label: s('board.pdf'),
    onAction: () =>
      void wire.run(async () =>
        saveBlob(await session.caller.load(`${pathOf(session.id)}/whiteboards.pdf`), 'whiteboard.pdf'),
      ),
  });
  if (draws) {
    entries.push({
      id: 'board-clear',
      icon: TEACHING.eraser,
      label: s('board.clear'),
      onAction: () => page.clear(),
    });
  }
  if (staff) {
    entries.push(
      {
        id: 'board-students',
        icon: TEACHING.pen,
        label: s(open ? 'board.studentsNot' : 'board.students'),
        onAction: () =>
          void run('/moderation/allow', { permission: 'whiteboard.draw', allowed: open ? null : true }),
      },
      {
        id: 'board-remove',
        icon: TEACHING.trash,
        label: s('board.remove'),
        onAction: () => setRemoving(true),
      },
    );
  }
  return (
    <div className="board-pages">
      {staff && (
        <IconButton
          look="bare"
          icon="previous"
          label={s('slides.previous')}
          testId="board-previous"
          disabled={index <= 0}
          onPress={() => turn(-1)}
        />
      )}
      <p role="status" data-testid="board-place">
        {s('slides.page', { page: index + 1, pages: pages.length })}
      </p>
      {staff && (
        <>
          <IconButton
            look="bare"
            icon="next"
            label={s('slides.next')}
            testId="board-next"
            disabled={index >= pages.length - 1}
            onPress={() => turn(1)}
          />
          <IconButton
            look="bare"
            icon={TEACHING.add}
            label={s('board.add')}
            testId="board-add"
            onPress={add}
          />
        </>
      )}
      <Menu
        button={{ icon: 'more', look: 'bare', label: s('board.more'), testId: 'board-more' }}
        entries={entries}
      />
      {removing && (
        <Confirm
          title={s('board.removeAsk')}
          detail={s('board.removeDetail')}
          action={s('board.remove')}
          testId="board-dialog"
          confirmId="board-remove-confirm"
          onConfirm={() => {
            setRemoving(false);
            void wire.run(async () => {
              // At least one page has to remain.
              if (pages.length === 1) await session.command('/whiteboards');
              await drop(`/whiteboards/${current}`);
            });
          }}
          onCancel={() => setRemoving(false)}
        />
      )}
    </div>
  );
}
