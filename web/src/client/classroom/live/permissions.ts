/** Permissions: the defaults of the roles (`classroom/permissions.py`), and later grants and revocations. */
import { fieldsOf, textOf, type Fields } from '../../json';
import { isStaff, isTutor, type Role } from '../sessions';
import type { SessionEvent } from './event';

export type Permission = 'slides.go_to' | 'slides.add_deck' | 'whiteboard.draw' | 'files.add';
type Grants = Readonly<Record<string, boolean>>;

export interface Permissions {
  /** Permissions of all students; they take precedence over the role. */
  everyone: Grants;
  /** The same for this person only; it takes precedence over `everyone`. */
  mine: Grants;
}

const BY_ROLE: Readonly<Record<Permission, (role: Role) => boolean>> = {
  'slides.go_to': isTutor,
  'slides.add_deck': isTutor,
  'whiteboard.draw': isStaff,
  'files.add': (role) => role !== 'observer',
};

function readGrants(value: unknown): Grants {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).filter(
      (entry): entry is [string, boolean] => typeof entry[1] === 'boolean',
    ),
  );
}

export function readPermissions(fields: Fields): Permissions {
  return { everyone: readGrants(fields['class_grants']), mine: readGrants(fields['my_grants']) };
}

/** `me`: the id of this page's person. */
export function applyPermissions(part: Permissions, { type, fields }: SessionEvent, me: string): Permissions {
  if (type !== 'moderation.allowed') return part;
  const name = textOf(fields['permission']);
  const changed = (grants: Grants): Grants => {
    const others = Object.entries(grants).filter(([each]) => each !== name);
    const { allowed } = fields;
    return Object.fromEntries(typeof allowed === 'boolean' ? [...others, [name, allowed]] : others);
  };
  switch (fields['person']) {
    case '':
      return { ...part, everyone: changed(part.everyone) };
    case me:
      return { ...part, mine: changed(part.mine) };
    default:
      return part;
  }
}

/** Whether a person with this role has a permission, decided as on the server. */
export function may({ everyone, mine }: Permissions, role: Role, permission: Permission): boolean {
  const byRole = BY_ROLE[permission](role);
  if (role === 'owner') return byRole;
  return mine[permission] ?? (role === 'student' ? everyone[permission] : undefined) ?? byRole;
}
