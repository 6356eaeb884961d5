import { useCallback, useState, type SyntheticEvent } from 'react';

import { webhooks, type Deliveries, type Endpoint } from '../../client/admin/school';
import { dateAndTime } from '../../client/text/catalogue';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Confirm } from '../../ui/surfaces/Confirm';
import { useLoaded, type AdminProps } from './parts';

/** Where applications hear of sessions, with the last deliveries. */
export function WebhooksPart({ caller, attempt }: AdminProps) {
  const load = useCallback(() => webhooks.list(caller), [caller]);
  const { value, again } = useLoaded(load, attempt);
  const [url, setUrl] = useState('');
  const [added, setAdded] = useState<Endpoint>();
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    void attempt(async () => {
      setAdded(await webhooks.add(caller, url.trim()));
      setUrl('');
      await again();
    });
  };
  return (
    <>
      <form className="card fields" onSubmit={submit} noValidate>
        <TextField id="hook-url" label={s('admin.hookUrl')} type="url" value={url} onChange={setUrl} />
        <Button submit testId="hook-add" disabled={url.trim() === ''}>
          {s('admin.hookAdd')}
        </Button>
        {added !== undefined && (
          <TextField
            id="hook-secret"
            label={s('admin.hookSecret')}
            readOnly
            value={added.secret}
            onChange={() => undefined}
          />
        )}
      </form>
      {value?.length === 0 && <p className="soft">{s('admin.noHooks')}</p>}
      <ul className="admin-list">
        {value?.map((endpoint) => (
          <Hook
            key={endpoint.id}
            endpoint={endpoint}
            caller={caller}
            attempt={attempt}
            onChanged={() => void again()}
          />
        ))}
      </ul>
    </>
  );
}

function Hook({
  endpoint,
  caller,
  attempt,
  onChanged,
}: AdminProps & { endpoint: Endpoint; onChanged: () => void }) {
  const { id, url, paused, failures } = endpoint;
  const [found, setFound] = useState<Deliveries>();
  const [removing, setRemoving] = useState(false);
  const look = useCallback(
    () => attempt(async () => setFound(await webhooks.deliveries(caller, id))),
    [attempt, caller, id],
  );
  const change = (call: () => Promise<void>): void =>
    void attempt(async () => {
      await call();
      onChanged();
    });
  const again = (eventId: string): void =>
    void attempt(async () => {
      await webhooks.sendAgain(caller, id, eventId);
      await look();
    });
  return (
    <li className="card" data-testid="hook" data-url={url}>
      <div className="admin-row">
        <div>
          <strong>{url}</strong>
          <p className="soft">
            {s(paused ? 'admin.hookPaused' : 'admin.hookActive')}
            {failures > 0 && ` · ${s('admin.failures', { count: failures })}`}
          </p>
        </div>
        {paused && (
          <Button testId="hook-resume" onPress={() => change(() => webhooks.resume(caller, id))}>
            {s('admin.hookResume')}
          </Button>
        )}
        <Button
          look="quiet"
          label={named(s('admin.hookRemove'), url)}
          testId="hook-remove"
          onPress={() => setRemoving(true)}
        >
          {s('admin.hookRemove')}
        </Button>
        {removing && (
          <Confirm
            title={s('admin.hookRemoveAsk', { url })}
            detail={s('admin.hookRemoveDetail')}
            action={s('admin.hookRemove')}
            testId="hook-dialog"
            confirmId="hook-remove-confirm"
            onConfirm={() => {
              setRemoving(false);
              change(() => webhooks.remove(caller, id));
            }}
            onCancel={() => setRemoving(false)}
          />
        )}
      </div>
      <details onToggle={({ currentTarget }) => currentTarget.open && void look()}>
        <summary data-testid="hook-deliveries">{s('admin.deliveries')}</summary>
        <Button testId="hook-reload" onPress={() => void look()}>
          {s('admin.reload')}
        </Button>
        {found !== undefined && <DeliveryRows found={found} onAgain={again} />}
      </details>
    </li>
  );
}

function DeliveryRows({ found, onAgain }: { found: Deliveries; onAgain: (eventId: string) => void }) {
  const button = (event: string, eventId: string) => (
    <Button
      look="quiet"
      testId="send-again"
      label={named(s('admin.sendAgain'), event)}
      onPress={() => onAgain(eventId)}
    >
      {s('admin.sendAgain')}
    </Button>
  );
  if (found.waiting.length === 0 && found.attempts.length === 0)
    return <p className="soft">{s('admin.noDeliveries')}</p>;
  return (
    <ul className="admin-rows">
      {found.waiting.map(({ eventId, event, attempts, nextAt }) => (
        <li key={`waiting ${eventId}`} className="admin-row" data-testid="waiting">
          <p>
            <strong>{event}</strong> {s('admin.hookWaits', { count: attempts, when: dateAndTime(nextAt) })}
          </p>
          {button(event, eventId)}
        </li>
      ))}
      {found.attempts.map(({ eventId, event, at, number, result, answer }) => (
        <li key={`${eventId} ${at}`} className="admin-row" data-testid="attempt" data-result={result}>
          <p>
            <strong>{event}</strong> {dateAndTime(at)} · {s('admin.attempt', { number, answer })}
          </p>
          {button(event, eventId)}
        </li>
      ))}
    </ul>
  );
}
