import { describe, expect, it } from 'vitest';

import { DoorError } from '../../call/door';
import type { Context } from './context';
import { TRANSCRIPTION_ACTIONS } from './transcription';

function owner(refusal?: DoorError) {
  const asked: unknown[] = [];
  const posted: unknown[] = [];
  const meeting = {
    transcribe: (change: unknown) => {
      asked.push(change);
      return refusal === undefined ? Promise.resolve() : Promise.reject(refusal);
    },
  };
  const context = { call: { meeting }, wire: { post: (...event: unknown[]) => posted.push(event) } };
  return { asked, posted, context: context as unknown as Context };
}

const none = { raw: false, redact: false, profanity_filter: false };

describe('transcription', () => {
  it('starts, changes and stops by the options of the application', async () => {
    const { asked, posted, context } = owner();
    const say = async (command: string, fields: Record<string, unknown>): Promise<void> => {
      await TRANSCRIPTION_ACTIONS[`daily-method-${command}-transcription`]?.(
        fields,
        () => undefined,
        context,
      );
    };
    await say('start', { language: 'en', model: 'nova-2', redact: ['pci'], includeRawResponse: true });
    await say('update', { instanceId: 'i', participants: ['a', 3] });
    await say('stop', {});
    expect(asked).toEqual([
      { action: 'start', ...none, language: 'en', redact: true, raw: true },
      { action: 'update', ...none, instance_id: 'i', participants: ['a'] },
      { action: 'stop', ...none },
    ]);
    expect(posted).toEqual([]);
  });
  it('reports a refusal', async () => {
    const { posted, context } = owner(new DoorError('unsupported', 'not here'));
    await TRANSCRIPTION_ACTIONS['daily-method-start-transcription']?.(
      { instanceId: 'i' },
      () => undefined,
      context,
    );
    expect(posted).toEqual([['transcription-error', { errorMsg: 'not here', instanceId: 'i' }]]);
  });
});
