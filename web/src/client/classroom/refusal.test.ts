import { expect, it } from 'vitest';

import { refusalWords } from './refusal';

it.each([
  ['no_role', 'You are not signed in', 'gave you no role'],
  ['bad_state', 'You are not signed in', 'took too long'],
  ['provider_failed', 'You are not signed in', 'does not answer'],
  ['bad_link', 'This link does not work', 'has expired'],
  ['no_such_page', 'This link does not work', 'no page'],
  ['something_new', 'This link does not work', 'could not open'],
])('%s: %s', (code, title, part) => {
  const found = refusalWords(code);
  expect(found.title).toBe(title);
  expect(found.detail).toContain(part);
  expect(found.home).not.toBe('');
});
