import {
  ANSWERS,
  hasOptions,
  MOST_OPTIONS,
  MOST_STEPS,
  type PollItem,
} from '../../../client/classroom/school/library';
import { p } from '../../../client/text/planning/texts';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { Switch } from '../../../ui/controls/Switch';
import { TextField } from '../../../ui/controls/TextField';

interface PollFieldsProps {
  /** Begins the ids of the fields. */
  id: string;
  poll: PollItem;
  onChange: (poll: PollItem) => void;
}

const STEPS = Array.from({ length: MOST_STEPS - 1 }, (_, index) => index + 2);

/** The fields of a poll: question, how it is answered, options. */
export function PollFields({ id, poll, onChange }: PollFieldsProps) {
  const { question, answers, options, steps, anonymous } = poll;
  const change = (changed: Partial<PollItem>): void => onChange({ ...poll, ...changed });
  // A poll that had no options needs fields for two.
  const shown = options.length < 2 ? [...options, '', ''].slice(0, 2) : options;
  const setOption = (at: number, option: string): void =>
    change({ options: shown.map((each, index) => (index === at ? option : each)) });
  return (
    <>
      <TextField
        id={`${id}-question`}
        label={s('poll.question')}
        maxLength={500}
        value={question}
        onChange={(next) => change({ question: next })}
      />
      <div className="field">
        <label htmlFor={`${id}-answers`}>{s('poll.kind')}</label>
        <select
          id={`${id}-answers`}
          data-testid={`${id}-answers`}
          value={answers}
          onChange={({ target }) =>
            change({ answers: ANSWERS.find((each) => each === target.value) ?? 'single' })
          }
        >
          {ANSWERS.map((each) => (
            <option key={each} value={each}>
              {each === 'rating' ? p('library.rating') : s(`poll.${each}`)}
            </option>
          ))}
        </select>
      </div>
      {answers === 'rating' && (
        <div className="field">
          <label htmlFor={`${id}-steps`}>{p('library.steps')}</label>
          <select
            id={`${id}-steps`}
            data-testid={`${id}-steps`}
            value={steps}
            onChange={({ target }) => change({ steps: Number(target.value) })}
          >
            {STEPS.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </div>
      )}
      {hasOptions(poll) && (
        <>
          {shown.map((option, at) => (
            <TextField
              // Options have no identity but their place.
              key={at}
              id={`${id}-option-${at}`}
              label={s('poll.option', { number: at + 1 })}
              maxLength={200}
              value={option}
              onChange={(next) => setOption(at, next)}
            />
          ))}
          {shown.length < MOST_OPTIONS && (
            <Button
              look="quiet"
              testId={`${id}-option-add`}
              onPress={() => change({ options: [...shown, ''] })}
            >
              {s('poll.addOption')}
            </Button>
          )}
        </>
      )}
      <Switch
        label={s('poll.anonymous')}
        on={anonymous}
        testId={`${id}-anonymous`}
        onChange={(on) => change({ anonymous: on })}
      />
    </>
  );
}
