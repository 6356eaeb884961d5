import { describe, expect, it } from 'vitest';

import { keepToken, keptToken } from './kept';

function store() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

describe('the kept token', () => {
  it('belongs to its room', () => {
    const tab = store();
    keepToken(tab, 'maths', 'a.b.c');
    expect([keptToken(tab, 'maths'), keptToken(tab, 'physics')]).toEqual(['a.b.c', '']);
    keepToken(tab, 'maths', '');
    expect(keptToken(tab, 'maths')).toBe('');
  });
  it('is not there where a browser keeps nothing', () => {
    expect(keptToken(undefined, 'maths')).toBe('');
    const refusing = {
      getItem: (): string => {
        throw new Error('blocked');
      },
      setItem: (): void => {
        throw new Error('full');
      },
      removeItem: (): void => {
        throw new Error('blocked');
      },
    };
    keepToken(refusing, 'maths', 'a');
    expect(keptToken(refusing, 'maths')).toBe('');
  });
});
