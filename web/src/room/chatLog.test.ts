import { describe, expect, it } from 'vitest';

import { ChatLog, type ChatLine } from './chatLog';

const line = (text: string): ChatLine => ({ from: 'ben', name: 'Ben', text, atMs: 0 });

describe('ChatLog', () => {
  it('counts lines of others as unread until it is opened', () => {
    const log = new ChatLog();
    log.add(line('1'), false);
    log.add(line('2'), true);
    expect([log.state.snapshot().lines.length, log.state.snapshot().unread]).toEqual([2, 1]);
    log.setOpen(true);
    log.add(line('3'), false);
    expect(log.state.snapshot().unread).toBe(0);
    log.setOpen(false);
    log.add(line('4'), false);
    expect(log.state.snapshot().unread).toBe(1);
  });
  it('forgets the oldest of 500 lines', () => {
    const log = new ChatLog();
    for (let index = 0; index <= 500; index += 1) log.add(line(String(index)), false);
    const { lines } = log.state.snapshot();
    expect([lines.length, lines[0]?.text, lines.at(-1)?.text]).toEqual([500, '1', '500']);
  });
});
