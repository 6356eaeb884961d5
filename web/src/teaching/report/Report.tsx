import '../../styles/report.css';

import { useEffect, useState } from 'react';

import type { Caller } from '../../client/classroom/call';
import { readChat, type Message } from '../../client/classroom/live/work/chat';
import { readEvent, type SessionEvent } from '../../client/classroom/live/event';
import { readFiles, type SessionFile } from '../../client/classroom/live/work/files';
import { readPolls, type Poll } from '../../client/classroom/live/work/polls';
import { placePath } from '../../client/classroom/place';
import { pathOf, sessions, type Attendance, type Summary } from '../../client/classroom/sessions';
import { clock } from '../../client/classroom/time';
import { problemWords } from '../../client/classroom/words';
import { replay } from '../../client/recordings/replay';
import { listOf, fieldsOf, textOf } from '../../client/json';
import { bytes, dateAndTime, timeOfDay } from '../../client/text/catalogue';
import { named, s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { IconButton } from '../../ui/controls/IconButton';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { ReplayLink } from '../ReplayLink';
import { PollResults } from '../panels/PollsPanel';
import { saveBlob } from '../saveBlob';
import { TableScroll } from '../../ui/surfaces/TableScroll';

export interface ReportContent {
  session: Summary;
  attendance: readonly Attendance[];
  polls: readonly Poll[];
  questions: readonly SessionEvent[];
  messages: readonly Message[];
  files: readonly SessionFile[];
  /** Whether there are recordings. */
  recorded: boolean;
}

/** Load all data of the report. */
export async function loadReport(caller: Caller, id: string): Promise<ReportContent> {
  const path = pathOf(id);
  const [session, attendance, polls, questions, chat, files, recorded] = await Promise.all([
    sessions.find(caller, id),
    sessions.attendance(caller, id),
    caller.get(`${path}/polls`),
    caller.get(`${path}/events?limit=1000&type=questions.asked`),
    caller.get(`${path}/chat`),
    caller.get(`${path}/files`),
    replay.recorded(caller, [id]),
  ]);
  return {
    session,
    attendance,
    polls: readPolls(polls).filter(({ status }) => status !== 'draft'),
    questions: listOf(questions['events']).map((row) => readEvent(fieldsOf(row)['event'])),
    messages: readChat(chat, {}).messages,
    files: readFiles(files),
    recorded: recorded.length > 0,
  };
}

/** The report of a session: attendance, questions, polls, chat and files, to read, print and save. */
export function Report({ caller, id }: { caller: Caller; id: string }) {
  const [content, setContent] = useState<ReportContent>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    let current = true;
    loadReport(caller, id)
      .then((loaded) => {
        if (current) setContent(loaded);
      })
      .catch((error: unknown) => {
        if (current) setProblem(problemWords(error));
      });
    return () => {
      current = false;
    };
  }, [caller, id]);
  const save = (path: string, name: string): void => {
    caller
      .load(pathOf(id) + path)
      .then((blob) => saveBlob(blob, name))
      .catch((error: unknown) => setProblem(problemWords(error)));
  };
  return (
    <div className="report" data-testid="report">
      {problem !== '' && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      {content !== undefined && <Sheet content={content} onSave={save} />}
    </div>
  );
}

export function Sheet({
  content,
  onSave,
}: {
  content: ReportContent;
  onSave: (path: string, name: string) => void;
}) {
  const { session, attendance, polls, questions, messages, files } = content;
  const names = new Map(attendance.map(({ person, name }) => [person, name]));
  return (
    <>
      <header className="report-header">
        <div>
          <p className="soft">{s('report.title')}</p>
          <h1>{session.title}</h1>
          {session.startedAt !== undefined && (
            <p>{s('report.held', { when: dateAndTime(session.startedAt), time: clock(session.taughtS) })}</p>
          )}
        </div>
        <div className="actions no-print">
          <Button
            icon={TEACHING.download}
            testId="report-csv"
            onPress={() => onSave('/attendance.csv', `attendance-${session.id}.csv`)}
          >
            {s('report.csv')}
          </Button>
          <Button icon={TEACHING.print} testId="report-print" onPress={() => window.print()}>
            {s('report.print')}
          </Button>
          {content.recorded && <ReplayLink session={session} />}
          <a className="button" href={placePath({ kind: 'home' })} data-testid="report-home">
            {s('door.home')}
          </a>
        </div>
      </header>
      <section className="card">
        <h2>{s('report.attendance')}</h2>
        <AttendanceTable attendance={attendance} />
      </section>
      <section className="card">
        <h2>{s('report.questions')}</h2>
        {questions.length === 0 && <p className="soft">{s('report.noQuestions')}</p>}
        <ul className="report-lines">
          {questions.map(({ at, by, fields }, index) => (
            <li key={index} data-testid="report-question">
              <span className="soft">
                {timeOfDay(at * 1000)} · {names.get(by) ?? s('question.anonymousBy')}
              </span>
              <p>{textOf(fields['text'])}</p>
            </li>
          ))}
        </ul>
      </section>
      <section className="card">
        <h2>{s('report.polls')}</h2>
        {polls.length === 0 && <p className="soft">{s('report.noPolls')}</p>}
        {polls.map((poll) => (
          <div key={poll.id} className="report-poll" data-testid="report-poll">
            <h3>{poll.question}</h3>
            <PollResults poll={poll} />
            <div className="no-print">
              <Button
                look="quiet"
                icon={TEACHING.download}
                onPress={() => onSave(`/polls/${poll.id}/results.csv`, `poll-${poll.id}.csv`)}
              >
                {s('report.pollCsv')}
              </Button>
            </div>
          </div>
        ))}
      </section>
      <section className="card">
        <h2>{s('report.chat')}</h2>
        {messages.length === 0 && <p className="soft">{s('report.noChat')}</p>}
        <ul className="report-lines">
          {messages.map(({ id, at, by, text }) => (
            <li key={id} data-testid="report-message">
              <span className="soft">
                {timeOfDay(at * 1000)} · {names.get(by) ?? ''}
              </span>
              <p>{text}</p>
            </li>
          ))}
        </ul>
      </section>
      <section className="card">
        <h2>{s('panel.files')}</h2>
        {files.length === 0 && <p className="soft">{s('files.none')}</p>}
        <ul className="report-lines">
          {files.map(({ id, by, name, size }) => (
            <li key={id} className="report-file" data-testid="report-file">
              <div>
                <p>{name}</p>
                <p className="soft">{[bytes(size), names.get(by) ?? ''].filter(Boolean).join(' · ')}</p>
              </div>
              <span className="no-print">
                <IconButton
                  look="bare"
                  icon={TEACHING.download}
                  label={named(s('files.load'), name)}
                  testId="report-file-load"
                  onPress={() => onSave(`/files/${id}`, name)}
                />
              </span>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

function AttendanceTable({ attendance }: { attendance: readonly Attendance[] }) {
  const columns = [
    'report.name',
    'report.role',
    'report.from',
    'report.to',
    'report.total',
    'report.lesson',
    'report.lost',
    'report.talk',
  ] as const;
  return (
    <TableScroll label={s('report.attendance')}>
      <table>
        <thead>
          <tr>
            {columns.map((key) => (
              <th key={key} scope="col">
                {s(key)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {attendance.map((each) => (
            <tr
              key={each.person}
              data-testid="attendance"
              data-person={each.name}
              data-total={each.totalS}
              data-lost={each.lostS}
            >
              <th scope="row">{each.name}</th>
              <td>{s(`report.${each.role}`)}</td>
              <td>{timeOfDay(each.firstJoinedAt * 1000)}</td>
              <td>{each.lastLeftAt === undefined ? s('report.still') : timeOfDay(each.lastLeftAt * 1000)}</td>
              <td>{clock(each.totalS)}</td>
              <td>{clock(each.lessonS)}</td>
              <td>{clock(each.lostS)}</td>
              <td>{clock(each.talkS)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}
