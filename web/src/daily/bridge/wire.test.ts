import { describe, expect, it } from 'vitest';

import type { Fields } from '../../client/json';
import { Wire } from './wire';

const FRAME = { id: '42', origin: 'https://school.example' };

function setUp() {
  const sent: [Fields, unknown][] = [];
  const parent = { postMessage: (message: Fields, target: unknown) => sent.push([message, target]) };
  const wire = new Wire(FRAME, parent);
  const read = (data: unknown, event: Partial<MessageEvent> = {}) =>
    wire.read({ data, origin: FRAME.origin, source: parent as unknown as Window, ...event });
  return { wire, sent, read };
}

const MESSAGE = { what: 'iframe-call-message', from: 'module', action: 'local-audio', state: false };

describe('Wire', () => {
  it('sends to the origin of the embedding page only, with both names of the frame', () => {
    const { wire, sent } = setUp();
    wire.post('loaded', { a: 1 });
    expect(sent).toEqual([
      [
        {
          what: 'iframe-call-message',
          from: 'embedded',
          action: 'loaded',
          a: 1,
          callClientId: '42',
          callFrameId: '42',
        },
        'https://school.example',
      ],
    ]);
  });
  it.each(['callClientId', 'callFrameId'])('reads messages of versions that use %s', (name) => {
    const { read } = setUp();
    expect(read({ ...MESSAGE, [name]: '42' })).toMatchObject({
      action: 'local-audio',
      fields: { state: false },
    });
  });
  it('responds where daily-js waits for a response', () => {
    const { read, sent } = setUp();
    read({ ...MESSAGE, callClientId: '42' })?.reply({ devices: [] });
    expect(sent).toEqual([]);
    read({ ...MESSAGE, callClientId: '42', callbackStamp: 's1' })?.reply({ devices: [] });
    expect(sent[0]?.[0]).toMatchObject({
      action: 'local-audio',
      callbackStamp: 's1',
      devices: [],
      callClientId: '42',
    });
  });
  it.each([
    ['text', 'hello'],
    ['nothing', null],
    ['a list', [MESSAGE]],
    ['another protocol', { ...MESSAGE, what: 'else', callClientId: '42' }],
    ['a message of this page', { ...MESSAGE, from: 'embedded', callClientId: '42' }],
    ['a message for another frame', { ...MESSAGE, callClientId: '7' }],
    ['a message for no frame', MESSAGE],
    ['no action', { ...MESSAGE, action: 1, callClientId: '42' }],
  ])('ignores %s', (_, data) => {
    expect(setUp().read(data)).toBeUndefined();
  });
  it('accepts messages of the embedding page only', () => {
    const { read } = setUp();
    const data = { ...MESSAGE, callClientId: '42' };
    expect(read(data, { origin: 'https://evil.example' })).toBeUndefined();
    expect(read(data, { source: null })).toBeUndefined();
    expect(read(data)).toBeDefined();
  });
});
