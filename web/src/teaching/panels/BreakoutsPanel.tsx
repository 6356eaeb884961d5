import { useState, type DragEvent, type SyntheticEvent } from 'react';

import { nameOf } from '../../client/classroom/live/state';
import { t } from '../../client/text/catalogue';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';

// Format of the dragged data. During a drag, a browser gives the elements under the pointer the formats only.
const DRAGGED = 'application/x-lectern-person';

/** Creates rooms, spreads the students, opens and closes the rooms, and visits them. */
export function BreakoutsPanel({ onClose }: { onClose: () => void }) {
  const { state, run } = useLive();
  const { rooms, open } = state.breakouts;
  return (
    <Panel title={s('panel.breakouts')} testId="breakouts-panel" onClose={onClose}>
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <div className="panel-scroll" tabIndex={0} role="group" aria-label={s('panel.breakouts')}>
        {open ? <OpenRooms /> : <MakeRooms />}
        {rooms.length === 0 && <p className="soft">{s('breakout.none')}</p>}
        {rooms.length > 0 && !open && (
          <Button look="primary" testId="breakouts-open" onPress={() => void run('/breakouts/open')}>
            {s('breakout.open')}
          </Button>
        )}
        <Rooms />
      </div>
    </Panel>
  );
}

function MakeRooms() {
  const { session, wire } = useLive();
  const [count, setCount] = useState(2);
  const make = (event: SyntheticEvent): void => {
    event.preventDefault();
    const rooms = Array.from({ length: count }, (_, index) => ({
      id: `room-${index + 1}`,
      name: s('breakout.room', { number: index + 1 }),
    }));
    void wire.run(async () => {
      await session.command('/breakouts', { rooms });
      await session.command('/breakouts/shuffle');
    });
  };
  return (
    <form className="fields" onSubmit={make}>
      <div className="field">
        <label htmlFor="breakout-count">{s('breakout.count')}</label>
        <input
          id="breakout-count"
          type="number"
          min={1}
          max={20}
          data-testid="breakout-count"
          value={count}
          onChange={(event) => setCount(Math.min(Math.max(Number(event.target.value), 1), 20))}
        />
      </div>
      <Button submit testId="breakouts-make">
        {s('breakout.make')}
      </Button>
    </form>
  );
}

function OpenRooms() {
  const { run } = useLive();
  const [text, setText] = useState('');
  return (
    <>
      <div className="actions">
        <Button look="primary" testId="breakouts-close" onPress={() => void run('/breakouts/close')}>
          {s('breakout.close')}
        </Button>
        <Button
          look="quiet"
          testId="breakouts-call"
          onPress={() => void run('/breakouts/call-back', { countdown_s: 60 })}
        >
          {s('breakout.call')}
        </Button>
      </div>
      <form
        className="fields"
        onSubmit={(event) => {
          event.preventDefault();
          const said = text.trim();
          if (said !== '')
            void run('/breakouts/broadcast', { text: said }).then((sent) => sent && setText(''));
        }}
      >
        <TextField
          id="breakout-say"
          label={s('breakout.say')}
          maxLength={1000}
          value={text}
          onChange={setText}
        />
        <Button submit testId="breakout-send" disabled={text.trim() === ''}>
          {t('action.send')}
        </Button>
      </form>
    </>
  );
}

/** The assignments. Students are moved by dragging, or by a selection of rooms, which works with keys and on phones. */
function Rooms() {
  const { state } = useLive();
  const { rooms, places } = state.breakouts;
  const students = state.people.present.filter(({ role }) => role === 'student').map(({ id }) => id);
  if (rooms.length === 0) return null;
  const unassigned = students.filter((person) => (places[person] ?? '') === '');
  return (
    <ul className="panel-list">
      {rooms.map(({ id, name }) => (
        <Room key={id} id={id} name={name} people={students.filter((person) => places[person] === id)} />
      ))}
      {unassigned.length > 0 && <Room id="" name={s('breakout.unassigned')} people={unassigned} />}
    </ul>
  );
}

function Room({ id, name, people }: { id: string; name: string; people: readonly string[] }) {
  const { state, run } = useLive();
  const { open, mine, rooms } = state.breakouts;
  const [over, setOver] = useState(false);
  const assign = (person: string, room: string): void => void run('/breakouts/assign', { person, room });
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const person = event.dataTransfer.getData(DRAGGED);
    if (person !== '' && !people.includes(person)) assign(person, id);
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- the selection below does it by keys
    <li
      className={over ? 'panel-item drop-target' : 'panel-item'}
      data-testid="breakout-room"
      data-room={name}
      onDragOver={(event) => {
        // Anything else, such as a file, is not for this list.
        if (!event.dataTransfer.types.includes(DRAGGED)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <p className="item-head">
        <strong>{name}</strong>
        {open && id !== '' && mine === id && <span className="soft">{s('breakout.here')}</span>}
        {open && id !== '' && mine !== id && (
          <Button
            look="quiet"
            testId="breakout-visit"
            label={named(s('breakout.visit'), name)}
            onPress={() => void run('/breakouts/visit', { room: id })}
          >
            {s('breakout.visit')}
          </Button>
        )}
      </p>
      {people.length === 0 && <p className="soft">{s('breakout.empty')}</p>}
      {people.map((person) => (
        // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- the selection in it does it by keys
        <div
          key={person}
          className="breakout-person"
          data-testid="breakout-person"
          draggable
          onDragStart={(event) => {
            event.dataTransfer.setData(DRAGGED, person);
            event.dataTransfer.effectAllowed = 'move';
          }}
        >
          <span>{nameOf(state, person)}</span>
          <select
            aria-label={s('breakout.move', { name: nameOf(state, person) })}
            data-testid="breakout-move"
            value={id}
            onChange={(event) => assign(person, event.target.value)}
          >
            {rooms.map((room) => (
              <option key={room.id} value={room.id}>
                {room.name}
              </option>
            ))}
            <option value="">{s('breakout.noRoom')}</option>
          </select>
        </div>
      ))}
    </li>
  );
}
