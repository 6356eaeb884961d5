import { useState, type SyntheticEvent } from 'react';

import type { Poll } from '../../client/classroom/live/work/polls';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Switch } from '../../ui/controls/Switch';
import { Confirm } from '../../ui/surfaces/Confirm';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';
import { PollForm } from './PollForm';

/** Polls, the latest first. */
export function PollsPanel({ onClose }: { onClose: () => void }) {
  const { state, staff, tutor } = useLive();
  return (
    <Panel title={s('panel.polls')} testId="polls-panel" onClose={onClose}>
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <div className="panel-scroll" tabIndex={0} role="group" aria-label={s('panel.polls')}>
        {tutor && <NewPoll />}
        {state.polls.length === 0 && <p className="soft">{s(staff ? 'poll.none' : 'poll.noneStudent')}</p>}
        <ul className="panel-list">
          {state.polls.map((poll) => (
            <li key={poll.id} className="panel-item" data-testid="poll" data-status={poll.status}>
              <p className="soft">{s(poll.status === 'published' ? 'poll.published' : statusKey(poll))}</p>
              <p className="item-title">{poll.question}</p>
              {!staff && poll.status === 'open' && <PollForm poll={poll} />}
              {poll.results !== undefined && <PollResults poll={poll} />}
              {tutor && <TutorActions poll={poll} />}
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function statusKey({ status }: Poll): 'poll.open' | 'poll.closed' | 'home.draft' {
  if (status === 'draft') return 'home.draft';
  return status === 'open' ? 'poll.open' : 'poll.closed';
}

/** The number of answers for each option, with a bar. */
export function PollResults({ poll }: { poll: Poll }) {
  const { results, kind, options, steps } = poll;
  if (results === undefined) return null;
  const labels =
    kind === 'rating'
      ? Array.from({ length: steps }, (_, index) => s('poll.step', { number: index + 1, steps }))
      : options;
  return (
    <div className="poll-results" data-testid="poll-results" data-answers={results.answers}>
      <ul>
        {labels.map((label, index) => {
          const count = results.counts[index] ?? 0;
          return (
            <li key={label} data-testid="poll-result" data-count={count}>
              <span className="poll-label">{label}</span>
              <span className="poll-count">{s('poll.of', { count, all: results.answers })}</span>
              <progress max={Math.max(results.answers, 1)} value={count} aria-label={label} />
            </li>
          );
        })}
      </ul>
      {results.texts.map((text, index) => (
        <p key={index} className="answer">
          {text}
        </p>
      ))}
      <p className="soft">{s('poll.answers', { count: results.answers })}</p>
    </div>
  );
}

function TutorActions({ poll: { id, status, question } }: { poll: Poll }) {
  const { run, drop } = useLive();
  const [asking, setAsking] = useState(false);
  const path = `/polls/${id}`;
  return (
    <div className="actions">
      {status === 'draft' && (
        <Button look="primary" testId="poll-open" onPress={() => void run(`${path}/open`)}>
          {s('poll.ask')}
        </Button>
      )}
      {status === 'open' && (
        <Button look="primary" testId="poll-close" onPress={() => void run(`${path}/close`)}>
          {s('poll.close')}
        </Button>
      )}
      {status === 'closed' && (
        <Button look="primary" testId="poll-publish" onPress={() => void run(`${path}/publish`)}>
          {s('poll.publish')}
        </Button>
      )}
      {status !== 'published' && (
        <Button look="quiet" testId="poll-discard" onPress={() => setAsking(true)}>
          {s('poll.discard')}
        </Button>
      )}
      {asking && (
        <Confirm
          title={s('poll.discardAsk', { question })}
          action={s('poll.discard')}
          testId="poll-dialog"
          confirmId="poll-discard-confirm"
          onConfirm={() => {
            setAsking(false);
            void drop(path);
          }}
          onCancel={() => setAsking(false)}
        />
      )}
    </div>
  );
}

const KINDS = ['single', 'multiple', 'rating', 'short'] as const;

/** Drafts a poll and opens it at once. */
function NewPoll() {
  const { session, wire } = useLive();
  const [question, setQuestion] = useState('');
  const [kind, setKind] = useState<(typeof KINDS)[number]>('single');
  const [options, setOptions] = useState(['', '']);
  const [anonymous, setAnonymous] = useState(false);
  const [problem, setProblem] = useState(false);
  const choice = kind === 'single' || kind === 'multiple';
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    const given = [...new Set(options.map((option) => option.trim()).filter((option) => option !== ''))];
    const incomplete = question.trim() === '' || (choice && given.length < 2);
    setProblem(incomplete);
    if (incomplete) return;
    const asked = await wire.run(async () => {
      const body = { question: question.trim(), kind, anonymous, ...(choice && { options: given }) };
      const { id } = await session.command('/polls', body);
      await session.command(`/polls/${String(id)}/open`);
    });
    if (!asked) return;
    setQuestion('');
    setOptions(['', '']);
  };
  return (
    <details className="new-item">
      <summary data-testid="poll-new">{s('poll.new')}</summary>
      <form className="fields" onSubmit={(event) => void submit(event)} noValidate>
        <TextField
          id="poll-question"
          label={s('poll.question')}
          maxLength={500}
          value={question}
          onChange={setQuestion}
        />
        <div className="field">
          <label htmlFor="poll-kind">{s('poll.kind')}</label>
          <select
            id="poll-kind"
            data-testid="poll-kind"
            value={kind}
            onChange={(event) => setKind(KINDS.find((each) => each === event.target.value) ?? 'single')}
          >
            {KINDS.map((each) => (
              <option key={each} value={each}>
                {s(`poll.${each}`)}
              </option>
            ))}
          </select>
        </div>
        {choice && (
          <>
            {options.map((option, index) => (
              <TextField
                key={index}
                id={`poll-option-${index}`}
                label={s('poll.option', { number: index + 1 })}
                testId="poll-option"
                maxLength={200}
                value={option}
                onChange={(next) => setOptions(options.map((each, at) => (at === index ? next : each)))}
              />
            ))}
            <Button look="quiet" testId="poll-add" onPress={() => setOptions([...options, ''])}>
              {s('poll.addOption')}
            </Button>
          </>
        )}
        <Switch label={s('poll.anonymous')} on={anonymous} testId="poll-anonymous" onChange={setAnonymous} />
        {problem && (
          <p role="alert" className="problem">
            {s('poll.missing')}
          </p>
        )}
        <Button submit look="primary" testId="poll-ask">
          {s('poll.ask')}
        </Button>
      </form>
    </details>
  );
}
