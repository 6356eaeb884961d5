import { describe, expect, it } from 'vitest';

import { commandOf, KEYS } from './shortcuts';

const PLAIN = { ctrlKey: false, metaKey: false, altKey: false, repeat: false };
const FREE = { typing: false, letters: true };

describe('commandOf', () => {
  it.each(Object.entries(KEYS))('%s has a key of its own', (command, key) => {
    expect(commandOf({ ...PLAIN, key }, FREE)).toBe(command);
    expect(commandOf({ ...PLAIN, key: key.toLowerCase() }, FREE)).toBe(command);
  });
  it.each([
    ['a letter while typing', { key: 'm' }, { ...FREE, typing: true }, undefined],
    ['a letter while letters are off', { key: 'm' }, { ...FREE, letters: false }, undefined],
    ['the help while letters are off', { key: '?' }, { ...FREE, letters: false }, 'help'],
    ['a question mark in a message', { key: '?' }, { ...FREE, typing: true }, undefined],
    ['Ctrl+D while typing', { key: 'd', ctrlKey: true }, { ...FREE, typing: true }, 'microphone'],
    ['Cmd+E', { key: 'e', metaKey: true }, { ...FREE, letters: false }, 'camera'],
    ['the browser’s Ctrl+P', { key: 'p', ctrlKey: true }, FREE, undefined],
    ['Alt+M', { key: 'm', altKey: true }, FREE, undefined],
    ['a key that is held down', { key: 'm', repeat: true }, FREE, undefined],
    ['another key', { key: 'Enter' }, FREE, undefined],
  ])('%s', (_, pressed, state, expected) => {
    expect(commandOf({ ...PLAIN, ...pressed }, state)).toBe(expected);
  });
});
