import { expect, it, vi } from 'vitest';

import { Gathered } from './gather';

it('tells moves together after a moment, and nothing after its end', () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const gathered = new Gathered((words) => said.push(words));
  for (const name of ['Ada', 'Ben', 'Cleo']) gathered.note({ kind: 'joined', identity: name, name });
  vi.runAllTimers();
  expect(said).toEqual(['3 people joined']);
  gathered.note({ kind: 'left', identity: 'Ada', name: 'Ada' });
  gathered.close();
  vi.runAllTimers();
  expect(said).toHaveLength(1);
  vi.useRealTimers();
});
