import { useState, type SyntheticEvent } from 'react';

import type { Ballot, Poll } from '../../client/classroom/live/work/polls';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { useLive } from '../live/context';

const EMPTY: Ballot = { options: [], rating: 0, text: '' };

/** A student's answer to an open poll. It can be changed while the poll is open. */
export function PollForm({ poll }: { poll: Poll }) {
  const { run } = useLive();
  const [ballot, setBallot] = useState<Ballot>(poll.mine ?? EMPTY);
  const { id, kind, options, steps, question, mine } = poll;
  const submit = (event: SyntheticEvent): void => {
    event.preventDefault();
    const body =
      kind === 'rating'
        ? { rating: ballot.rating }
        : kind === 'short'
          ? { text: ballot.text.trim() }
          : { options: ballot.options };
    void run(`/polls/${id}/answer`, body);
  };
  const toggle = (index: number): void => {
    const { options: chosen } = ballot;
    if (kind === 'single') setBallot({ ...ballot, options: [index] });
    else {
      const rest = chosen.filter((each) => each !== index);
      setBallot({ ...ballot, options: rest.length === chosen.length ? [...chosen, index] : rest });
    }
  };
  const complete =
    kind === 'rating'
      ? ballot.rating > 0
      : kind === 'short'
        ? ballot.text.trim() !== ''
        : ballot.options.length > 0;
  return (
    <form className="fields" onSubmit={submit}>
      {kind === 'short' ? (
        <TextField
          id={`short-${id}`}
          label={s('poll.text')}
          testId="poll-text"
          maxLength={500}
          value={ballot.text}
          onChange={(next) => setBallot({ ...ballot, text: next })}
        />
      ) : (
        <fieldset className={kind === 'rating' ? 'choices-row' : 'choices-column'}>
          <legend className="hidden">{question}</legend>
          {kind === 'rating'
            ? Array.from({ length: steps }, (_, index) => index + 1).map((step) => (
                <label key={step} className="choice">
                  <input
                    type="radio"
                    name={`poll-${id}`}
                    data-testid="poll-choice"
                    checked={ballot.rating === step}
                    onChange={() => setBallot({ ...ballot, rating: step })}
                  />
                  {step}
                </label>
              ))
            : options.map((option, index) => (
                <label key={option} className="choice">
                  <input
                    type={kind === 'single' ? 'radio' : 'checkbox'}
                    name={`poll-${id}`}
                    data-testid="poll-choice"
                    checked={ballot.options.includes(index)}
                    onChange={() => toggle(index)}
                  />
                  {option}
                </label>
              ))}
        </fieldset>
      )}
      <Button submit look="primary" testId="poll-answer" disabled={!complete}>
        {s('poll.answer')}
      </Button>
      {mine !== undefined && (
        <p role="status" className="soft" data-testid="poll-answered">
          {s('poll.answered')}
        </p>
      )}
    </form>
  );
}
