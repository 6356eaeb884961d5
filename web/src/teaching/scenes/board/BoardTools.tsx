import { COLOURS, WIDTHS } from '../../../client/classroom/board/items';
import type { BoardPage, Drawing } from '../../../client/classroom/board/page';
import { s } from '../../../client/text/sessions/texts';
import { may } from '../../../client/classroom/live/permissions';
import { IconButton } from '../../../ui/controls/IconButton';
import { TEACHING } from '../../../ui/controls/teachingIcons';
import { useLive } from '../../live/context';
import { AddImage } from './AddImage';
import { TOOLS, type Chosen } from './tools';

interface BoardToolsProps {
  page: BoardPage;
  drawing: Drawing;
  chosen: Chosen;
  /** Only the laser pointer of staff is shown to others. */
  laser: boolean;
  onChosen: (chosen: Chosen) => void;
  /** Receives the id of an image that was added. */
  onImage: (image: string) => void;
}

/** Tools, images, colours, widths, and undo. */
export function BoardTools({ page, drawing, chosen, laser, onChosen, onImage }: BoardToolsProps) {
  const { state } = useLive();
  const isImageChosen =
    chosen.tool === 'move' && drawing.items.some(({ image }) => image?.id === chosen.image);
  return (
    <div className="board-tools" role="toolbar" aria-label={s('board.tools')}>
      {TOOLS.filter((tool) => laser || tool !== 'laser').map((tool) => (
        <IconButton
          key={tool}
          look="bare"
          icon={TEACHING[tool]}
          label={s(`board.${tool}`)}
          testId={`tool-${tool}`}
          pressed={chosen.tool === tool}
          active={chosen.tool === tool}
          onPress={() => onChosen({ ...chosen, tool })}
        />
      ))}
      {may(state.permissions, state.people.role, 'files.add') && <AddImage page={page} onAdded={onImage} />}
      {isImageChosen && (
        <IconButton
          look="bare"
          icon={TEACHING.trash}
          label={s('board.imageRemove')}
          testId="board-image-remove"
          onPress={() => {
            page.begin();
            page.removeImage(chosen.image);
            page.begin();
          }}
        />
      )}
      <span className="board-colours" role="group" aria-label={s('board.colour')}>
        {COLOURS.map((colour, index) => (
          <button
            key={colour}
            type="button"
            className="board-colour"
            aria-label={s(COLOUR_NAMES[index] ?? 'board.black')}
            aria-pressed={chosen.colour === colour}
            data-testid="board-colour"
            onClick={() => onChosen({ ...chosen, colour })}
          >
            <span style={{ backgroundColor: colour }} />
          </button>
        ))}
      </span>
      <select
        className="board-width"
        aria-label={s('board.width')}
        data-testid="board-width"
        value={chosen.width}
        onChange={({ target }) => onChosen({ ...chosen, width: Number(target.value) })}
      >
        {WIDTHS.map((width, index) => (
          <option key={width} value={width}>
            {s(WIDTH_NAMES[index] ?? 'board.thin')}
          </option>
        ))}
      </select>
      <IconButton
        look="bare"
        icon={TEACHING.undo}
        label={s('board.undo')}
        testId="board-undo"
        disabled={!drawing.canUndo}
        onPress={() => page.undo()}
      />
      <IconButton
        look="bare"
        icon={TEACHING.redo}
        label={s('board.redo')}
        testId="board-redo"
        disabled={!drawing.canRedo}
        onPress={() => page.redo()}
      />
    </div>
  );
}

const COLOUR_NAMES = [
  'board.black',
  'board.red',
  'board.blue',
  'board.green',
  'board.orange',
  'board.purple',
] as const;
const WIDTH_NAMES = ['board.thin', 'board.medium', 'board.thick'] as const;
