import { useCallback, useState, type SyntheticEvent } from 'react';

import { accounts, USER_ROLES, type User, type UserRole } from '../../client/admin/school';
import { placePath } from '../../client/classroom/place';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { useLoaded, type AdminProps } from './parts';

/** The accounts on this server and the schools, and invitations. */
export function UsersPart({ caller, attempt }: AdminProps) {
  const [more, setMore] = useState<{ users: User[]; next: string }>();
  const load = useCallback(async () => {
    const [page, tenants] = await Promise.all([accounts.list(caller, ''), accounts.tenants(caller)]);
    setMore(undefined);
    return { ...page, tenants };
  }, [caller]);
  const { value, again } = useLoaded(load, attempt);
  if (value === undefined) return null;
  const users = [...value.users, ...(more?.users ?? [])];
  const next = more?.next ?? value.next;
  const toggle = ({ id, disabled }: User): void =>
    void attempt(async () => {
      await accounts.setDisabled(caller, id, !disabled);
      await again();
    });
  return (
    <>
      <p className="soft">{s('admin.tenants', { names: value.tenants.join(', ') })}</p>
      <InviteForm caller={caller} attempt={attempt} onInvited={() => void again()} />
      {users.length === 0 && <p className="soft">{s('admin.noUsers')}</p>}
      <ul className="admin-list">
        {users.map((user) => (
          <li key={user.id} className="card admin-row" data-testid="admin-user" data-email={user.email}>
            <div>
              <strong>{user.name}</strong>
              <p className="soft">
                {user.email} · {s(`admin.role.${user.role}`)} · {s(stateOf(user))}
              </p>
            </div>
            <Button
              look="quiet"
              testId="user-toggle"
              label={named(s(user.disabled ? 'admin.enable' : 'admin.disable'), user.name)}
              onPress={() => toggle(user)}
            >
              {s(user.disabled ? 'admin.enable' : 'admin.disable')}
            </Button>
          </li>
        ))}
      </ul>
      {next !== '' && (
        <Button
          testId="users-more"
          onPress={() =>
            void attempt(async () => {
              const page = await accounts.list(caller, next);
              setMore({ users: [...(more?.users ?? []), ...page.users], next: page.next });
            })
          }
        >
          {s('admin.more')}
        </Button>
      )}
    </>
  );
}

function stateOf({ active, disabled }: User): 'admin.disabled' | 'admin.active' | 'admin.invited' {
  if (disabled) return 'admin.disabled';
  return active ? 'admin.active' : 'admin.invited';
}

function InviteForm({ caller, attempt, onInvited }: AdminProps & { onInvited: () => void }) {
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState<UserRole>('student');
  const [link, setLink] = useState('');
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    void attempt(async () => {
      const token = await accounts.invite(caller, email.trim(), name.trim(), role);
      setLink(`${window.location.origin}${placePath({ kind: 'password' })}#invitation=${token}`);
      setEmail('');
      setName('');
      onInvited();
    });
  };
  return (
    <form className="card fields" onSubmit={submit} noValidate>
      <h2>{s('admin.invite')}</h2>
      <div className="field-pair">
        <TextField id="invite-email" label={s('sign.email')} type="email" value={email} onChange={setEmail} />
        <TextField id="invite-name" label={s('admin.name')} value={name} onChange={setName} />
      </div>
      <div className="field">
        <label htmlFor="invite-role">{s('admin.role')}</label>
        <select
          id="invite-role"
          data-testid="invite-role"
          value={role}
          onChange={({ target }) => setRole(USER_ROLES.find((each) => each === target.value) ?? 'student')}
        >
          {USER_ROLES.map((each) => (
            <option key={each} value={each}>
              {s(`admin.role.${each}`)}
            </option>
          ))}
        </select>
      </div>
      <Button submit testId="invite-submit" disabled={email.trim() === '' || name.trim() === ''}>
        {s('admin.invite')}
      </Button>
      {link !== '' && (
        <TextField
          id="invite-link"
          label={s('admin.inviteLink')}
          readOnly
          value={link}
          onChange={() => undefined}
        />
      )}
    </form>
  );
}
