import { useCallback } from 'react';

import { auditLog } from '../../client/admin/school';
import { dateAndTime } from '../../client/text/catalogue';
import { s } from '../../client/text/sessions/texts';
import { useLoaded, type AdminProps } from './parts';
import { TableScroll } from '../../ui/surfaces/TableScroll';

/** Who did what: sign-ins, accounts, admissions, removals, permissions, files. */
export function AuditPart({ caller, attempt }: AdminProps) {
  const load = useCallback(() => auditLog(caller), [caller]);
  const { value } = useLoaded(load, attempt);
  if (value === undefined) return null;
  if (value.length === 0) return <p className="soft">{s('admin.noAudit')}</p>;
  return (
    <TableScroll label={s('admin.audit')}>
      <table>
        <thead>
          <tr>
            {(['when', 'action', 'actor', 'subject', 'session'] as const).map((each) => (
              <th key={each} scope="col">
                {s(`admin.${each}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {value.map(({ number, at, action, actor, subject, session }) => (
            <tr key={number} data-testid="audit-row">
              <td>{dateAndTime(at)}</td>
              <td>{action}</td>
              <td>{actor === '' ? s('admin.application') : actor}</td>
              <td>{subject}</td>
              <td>{session}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
