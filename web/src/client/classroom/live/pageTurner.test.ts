import { describe, expect, it } from 'vitest';

import { PageTurner } from './pageTurner';

/** A turner whose requests the test answers; `asked` are their pages. */
function turner() {
  const asked: number[] = [];
  const answers: ((agreed: boolean) => void)[] = [];
  const made = new PageTurner((page) => {
    asked.push(page);
    return new Promise((resolve) => answers.push(resolve));
  });
  const answer = async (agreed = true): Promise<void> => {
    answers.shift()?.(agreed);
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { made, asked, answer, wanted: () => made.state.snapshot().wanted };
}

describe('PageTurner', () => {
  it('sends one request at a time, and of several presses the last', async () => {
    const { made, asked, answer, wanted } = turner();
    for (const page of [3, 2, 3, 4]) made.turn(page);
    expect(asked).toEqual([3]);
    expect(wanted()).toBe(4);
    await answer();
    expect(asked).toEqual([3, 4]);
    await answer();
    expect(asked).toEqual([3, 4]);
  });
  it('asks again for nothing that the request on its way asks for', async () => {
    const { made, asked, answer } = turner();
    for (const page of [3, 2, 3]) made.turn(page);
    await answer();
    expect(asked).toEqual([3]);
  });
  it('shows the wanted page until its event arrives, whether before or after the response', async () => {
    const { made, answer, wanted } = turner();
    made.turn(3);
    made.turned(3);
    expect(wanted()).toBe(3);
    await answer();
    expect(wanted()).toBeUndefined();
    made.turn(4);
    await answer();
    expect(wanted()).toBe(4);
    made.turned(4);
    expect(wanted()).toBeUndefined();
  });
  it("does not keep its page after another tutor's later turn", async () => {
    const { made, answer, wanted } = turner();
    made.turn(3);
    made.turned(3);
    made.turned(5);
    await answer();
    expect(wanted()).toBeUndefined();
  });
  it('ignores events of its earlier requests', async () => {
    const { made, answer, wanted } = turner();
    made.turn(3);
    made.turn(2);
    await answer();
    made.turned(3);
    expect(wanted()).toBe(2);
    await answer();
    expect(wanted()).toBe(2);
    made.turned(2);
    expect(wanted()).toBeUndefined();
  });
  it('returns to the page of the session when the server refuses', async () => {
    const { made, answer, wanted } = turner();
    made.turn(3);
    await answer(false);
    expect(wanted()).toBeUndefined();
  });
  it('takes a state that was loaded again for the newest, also while a request is out', async () => {
    const { made, answer, wanted } = turner();
    made.turn(3);
    made.replaced();
    await answer();
    expect(wanted()).toBeUndefined();
    made.turn(4);
    await answer();
    made.replaced();
    expect(wanted()).toBeUndefined();
  });
});
