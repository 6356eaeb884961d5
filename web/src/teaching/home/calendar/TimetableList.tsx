import { useState } from 'react';

import {
  collisionKey,
  schedule,
  type Lesson,
  type Timetable,
} from '../../../client/classroom/school/schedule';
import { placePath } from '../../../client/classroom/place';
import { dateAndTime, t } from '../../../client/text/catalogue';
import { named, s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { Dialog } from '../../../ui/surfaces/Dialog';
import type { PartProps } from '../parts';

// The next weeks; the calendar has later lessons.
const SHOWN = 8;

interface TimetableListProps extends PartProps {
  timetable: Timetable | undefined;
  onChanged: () => Promise<void>;
}

/** The tutor's lessons of the next four weeks. */
export function TimetableList({ caller, me, attempt, timetable, onChanged }: TimetableListProps) {
  const [dropping, setDropping] = useState<Lesson>();
  if (timetable === undefined || timetable.lessons.length === 0) return null;
  const start = (lesson: Lesson): void =>
    void attempt(async () => {
      const id = await schedule.start(caller, lesson);
      window.location.assign(placePath({ kind: 'session', id }));
    });
  const drop = (call: () => Promise<void>): void => {
    setDropping(undefined);
    void attempt(async () => {
      await call();
      await onChanged();
    });
  };
  return (
    <section className="session-list" data-testid="timetable">
      <h2>{s('home.timetable')}</h2>
      <ul>
        {timetable.lessons.slice(0, SHOWN).map((lesson) => (
          <li
            key={collisionKey(lesson.series, lesson.key)}
            className="session-row card"
            data-testid="lesson-row"
          >
            <div className="session-words">
              <h3>{lesson.title}</h3>
              <p className="soft">
                {dateAndTime(lesson.startsAt)}
                {lesson.repeats && ` · ${s('home.repeats')}`}
              </p>
              {timetable.collisions.has(collisionKey(lesson.series, lesson.key)) && (
                <p className="collision">{s('home.collides')}</p>
              )}
            </div>
            <Button
              look="quiet"
              label={named(s('home.drop'), lesson.title)}
              testId="lesson-drop"
              onPress={() => setDropping(lesson)}
            >
              {s('home.drop')}
            </Button>
            <Button
              look="primary"
              label={named(s('home.startNow'), lesson.title)}
              testId="lesson-start"
              onPress={() => start(lesson)}
            >
              {s('home.startNow')}
            </Button>
          </li>
        ))}
      </ul>
      {dropping !== undefined && (
        <Dialog
          title={s('home.dropAsk', { title: dropping.title })}
          role="alertdialog"
          testId="lesson-dialog"
          onClose={() => setDropping(undefined)}
        >
          <p>{dateAndTime(dropping.startsAt)}</p>
          <div className="actions">
            <Button
              look="danger"
              testId="lesson-drop-one"
              onPress={() => drop(() => schedule.cancelOne(caller, me.person, dropping))}
            >
              {s('home.dropOne')}
            </Button>
            {dropping.repeats && (
              <Button
                look="danger"
                testId="lesson-drop-all"
                onPress={() => drop(() => schedule.remove(caller, me.person, dropping.series))}
              >
                {s('home.dropAll')}
              </Button>
            )}
            <Button firstFocus onPress={() => setDropping(undefined)}>
              {t('action.cancel')}
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
