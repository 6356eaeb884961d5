import { describe, expect, it } from 'vitest';

import { DoorError } from '../../call/door';
import type { Context } from './context';
import { RECORDING_ACTIONS } from './recording';

function owner(refusal?: DoorError) {
  const asked: unknown[] = [];
  const posted: unknown[] = [];
  const meeting = {
    record: (...wanted: unknown[]) => {
      asked.push(wanted);
      return refusal === undefined ? Promise.resolve() : Promise.reject(refusal);
    },
  };
  const context = { call: { meeting }, wire: { post: (...event: unknown[]) => posted.push(event) } };
  return { asked, posted, context: context as unknown as Context };
}

describe('recording', () => {
  it('starts and stops by the options of the application', async () => {
    const { asked, posted, context } = owner();
    const replies: unknown[] = [];
    await RECORDING_ACTIONS['local-recording-start']?.(
      { type: 'raw-tracks', instanceId: 'i', layout: {} },
      (fields) => replies.push(fields),
      context,
    );
    await RECORDING_ACTIONS['local-recording-stop']?.({}, (fields) => replies.push(fields), context);
    expect(asked).toEqual([
      [true, 'raw-tracks', 'i'],
      [false, undefined, undefined],
    ]);
    expect([replies, posted]).toEqual([[{}, {}], []]);
  });
  it('reports a refusal', async () => {
    const { posted, context } = owner(new DoorError('not-allowed', 'Only owners.'));
    await RECORDING_ACTIONS['local-recording-start']?.({}, () => undefined, context);
    expect(posted).toEqual([['recording-error', { errorMsg: 'Only owners.' }]]);
  });
});
