import { useState, type SyntheticEvent } from 'react';

import { URGENCIES, type HelpRequest, type Urgency } from '../../client/classroom/live/work/help';
import { nameOf } from '../../client/classroom/live/state';
import { clock } from '../../client/classroom/time';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive, useServerNow } from '../live/context';

/** For staff the queue of students who need help; for students their own request. */
export function HelpPanel({ onClose }: { onClose: () => void }) {
  const { staff } = useLive();
  return (
    <Panel title={s(staff ? 'panel.help' : 'help.ask')} testId="help-panel" onClose={onClose}>
      {staff ? <Queue /> : <OwnRequest />}
    </Panel>
  );
}

function Queue() {
  const { help } = useLive().state;
  if (help.length === 0) return <p className="soft">{s('help.none')}</p>;
  return (
    <ul className="panel-list">
      {help.map((request) => (
        <Request key={request.id} request={request} />
      ))}
    </ul>
  );
}

function Request({ request }: { request: HelpRequest }) {
  const { state, run } = useLive();
  const now = useServerNow();
  const { id, by, at, urgency, text, responder } = request;
  const name = nameOf(state, by);
  const path = `/help-requests/${id}`;
  return (
    <li className="panel-item" data-testid="help-request" data-urgency={urgency}>
      <p className="item-head">
        <strong>{name}</strong>
        <span className={`urgency urgency-${urgency}`}>{s(`help.${urgency}`)}</span>
      </p>
      {text !== '' && <p>{text}</p>}
      <p className="soft">
        {responder === ''
          ? s('help.waits', { time: clock(now - at) })
          : s('help.taken', { name: nameOf(state, responder) })}
      </p>
      <div className="actions">
        {responder === '' && (
          <Button
            look="primary"
            testId="help-respond"
            label={named(s('help.respond'), name)}
            onPress={() => void run(`${path}/respond`)}
          >
            {s('help.respond')}
          </Button>
        )}
        <Button
          look="quiet"
          testId="help-resolve"
          label={named(s('help.resolve'), name)}
          onPress={() => void run(`${path}/resolve`)}
        >
          {s('help.resolve')}
        </Button>
        <Button
          look="quiet"
          testId="help-dismiss"
          label={named(s('help.dismiss'), name)}
          onPress={() => void run(`${path}/dismiss`)}
        >
          {s('help.dismiss')}
        </Button>
      </div>
    </li>
  );
}

function OwnRequest() {
  const { state, me, run } = useLive();
  const [text, setText] = useState('');
  const [urgency, setUrgency] = useState<Urgency>('normal');
  const pending = state.help.find(({ by }) => by === me);
  if (pending !== undefined) {
    const { responder } = pending;
    return (
      <div className="panel-item" role="status" data-testid="help-pending" data-responder={responder}>
        <p>
          {responder === '' ? s('help.pending') : s('help.responded', { name: nameOf(state, responder) })}
        </p>
        {pending.text !== '' && <p className="soft">{pending.text}</p>}
        <Button testId="help-solved" onPress={() => void run(`/help-requests/${pending.id}/resolve`)}>
          {s('help.solved')}
        </Button>
      </div>
    );
  }
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (await run('/help-requests', { urgency, text: text.trim() })) setText('');
  };
  return (
    <form className="fields" onSubmit={(event) => void submit(event)}>
      <p className="soft">{s('help.askDetail')}</p>
      <TextField
        id="help-text"
        label={s('help.text')}
        rows={3}
        maxLength={500}
        value={text}
        onChange={setText}
      />
      <fieldset className="choices-column">
        <legend>{s('help.urgency')}</legend>
        {URGENCIES.map((each) => (
          <label key={each} className="choice">
            <input
              type="radio"
              name="urgency"
              data-testid={`urgency-${each}`}
              checked={urgency === each}
              onChange={() => setUrgency(each)}
            />
            {s(`help.${each}`)}
          </label>
        ))}
      </fieldset>
      <Button submit look="primary" testId="help-send">
        {s('help.send')}
      </Button>
    </form>
  );
}
