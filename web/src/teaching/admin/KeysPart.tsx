import type { KeyNow } from '../../client/admin/server';
import { dateAndTime } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';

/** API keys without their secrets. They are added and revoked by `lectern keys`. */
export function KeysPart({ keys }: { keys: readonly KeyNow[] }) {
  return (
    <>
      <p className="soft">{s('admin.keysExplain')}</p>
      <ul className="admin-list">
        {keys.map(({ key, note, configured, createdAt, revokedAt }) => (
          <li key={key} className="card" data-testid="admin-key">
            <strong>{key}</strong> {note}
            <p className="soft">
              {configured ? s('admin.configured') : dateAndTime(createdAt ?? 0)}
              {revokedAt !== undefined && ` · ${s('admin.revoked', { when: dateAndTime(revokedAt) })}`}
            </p>
          </li>
        ))}
      </ul>
    </>
  );
}
