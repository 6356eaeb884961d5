import { describe, expect, it } from 'vitest';

import type { Mark } from '../client/recordings/replay';
import { arrange, NO_SCENE, sceneAt, speakerOf, type Candidate, type Scene } from './scene';

const mark = (atS: number, kind: string, more: Partial<Mark> = {}): Mark => ({
  seq: atS,
  atS,
  kind,
  by: '',
  id: '',
  text: '',
  page: 0,
  ...more,
});

describe('the scene at a time', () => {
  const marks = [
    mark(-5, 'slide', { id: 'deck', page: 2 }),
    mark(10, 'scene', { id: 'slides', by: 'deck' }),
    mark(20, 'slide', { id: 'deck', page: 3 }),
    mark(30, 'scene', { id: 'student_work', by: 'sam' }),
    mark(40, 'leave', { by: 'ada' }),
    mark(50, 'leave', { by: 'sam' }),
    mark(60, 'spotlight', { by: 'ada' }),
  ];
  it.each([
    [0, { kind: '', source: '', pages: { deck: 2 }, spotlight: '' }],
    [10, { kind: 'slides', source: 'deck', pages: { deck: 2 }, spotlight: '' }],
    [25, { kind: 'slides', source: 'deck', pages: { deck: 3 }, spotlight: '' }],
    [45, { kind: 'student_work', source: 'sam', pages: { deck: 3 }, spotlight: '' }],
    [55, { kind: '', source: '', pages: { deck: 3 }, spotlight: '' }],
    [65, { kind: '', source: '', pages: { deck: 3 }, spotlight: 'ada' }],
  ])('at %d s', (timeS, expected) => expect(sceneAt(marks, timeS)).toEqual(expected));
});

const camera = (number: number, person: string, shown: boolean | undefined = true): Candidate => ({
  number,
  person,
  source: 'camera',
  shown,
});
const screen = (number: number, person: string, shown: boolean | undefined = true): Candidate => ({
  ...camera(number, person, shown),
  source: 'screen_share',
});
const scene = (more: Partial<Scene>): Scene => ({ ...NO_SCENE, ...more });
const track = (number: number) => ({ kind: 'track', number });

describe('what is shown large, and in the corner', () => {
  const all = [camera(1, 'tia'), camera(2, 'sam'), screen(3, 'tia'), screen(4, 'sam')];
  const cameras = all.slice(0, 2);
  it.each([
    ['a screen and who speaks', scene({}), all, 'sam', track(3), 2],
    ['a screen and the tutor while nobody has spoken', scene({}), all, '', track(3), 1],
    ['who speaks', scene({}), cameras, 'sam', track(2), undefined],
    ['who is in the spotlight', scene({ spotlight: 'tia' }), cameras, 'sam', track(1), 2],
    [
      'the camera of the scene before a screen',
      scene({ kind: 'camera', source: 'sam' }),
      all,
      'tia',
      track(2),
      1,
    ],
    ["a student's screen", scene({ kind: 'student_work', source: 'sam' }), all, 'tia', track(4), 1],
    [
      'a slide',
      scene({ kind: 'slides', source: 'd', pages: { d: 4 } }),
      all,
      'sam',
      { kind: 'slide', deck: 'd', page: 4 },
      2,
    ],
    ['a whiteboard', scene({ kind: 'whiteboard' }), all, 'sam', { kind: 'whiteboard' }, 2],
    [
      'no screen that has no picture',
      scene({}),
      [camera(1, 'tia'), screen(3, 'tia', false)],
      '',
      track(1),
      undefined,
    ],
    [
      'no screen of which nothing is known yet',
      scene({}),
      [camera(1, 'tia'), { ...screen(3, 'tia'), shown: undefined }],
      '',
      track(1),
      undefined,
    ],
    ['nothing', scene({}), [camera(1, 'tia', false)], 'tia', { kind: 'nothing' }, undefined],
  ] as const)('%s', (_name, given, candidates, speaker, large, small) =>
    expect(arrange(given, candidates, speaker, 'tia')).toEqual({ large, small }),
  );
});

describe('who speaks', () => {
  it.each([
    [{ tia: 0.2, sam: 0.05 }, '', 'tia'],
    [{ tia: 0.2, sam: 0.25 }, 'tia', 'tia'],
    [{ tia: 0.1, sam: 0.25 }, 'tia', 'sam'],
    [{ tia: 0.001, sam: 0.002 }, 'tia', 'tia'],
    [{}, '', ''],
  ])('%o after %s', (levels, before, expected) => expect(speakerOf(levels, before)).toBe(expected));
});
