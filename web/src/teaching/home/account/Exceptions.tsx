import {
  EXCEPTION_KINDS,
  type Exception,
  type ExceptionKind,
} from '../../../client/classroom/school/availability';
import { p } from '../../../client/text/planning/texts';
import { named } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';

interface ExceptionsProps {
  exceptions: readonly Exception[];
  onChange: (exceptions: readonly Exception[]) => void;
}

/** Absences of a tutor, and times in addition to the weekly ones. */
export function Exceptions({ exceptions, onChange }: ExceptionsProps) {
  const set = (at: number, changed: Partial<Exception>): void =>
    onChange(exceptions.map((each, index) => (index === at ? { ...each, ...changed } : each)));
  return (
    <fieldset className="exceptions fields" data-testid="exceptions">
      <legend>{p('except.title')}</legend>
      <p className="soft">{p('except.explain')}</p>
      {exceptions.map((exception, at) => (
        <ExceptionRow
          // Rows have no identity but their place.
          key={at}
          id={`except-${at}`}
          exception={exception}
          onChange={(changed) => set(at, changed)}
          onRemove={() => onChange(exceptions.filter((_, index) => index !== at))}
        />
      ))}
      <Button
        look="quiet"
        testId="except-add"
        onPress={() => onChange([...exceptions, { kind: 'away', from: '', to: '' }])}
      >
        {p('except.add')}
      </Button>
    </fieldset>
  );
}

interface ExceptionRowProps {
  id: string;
  exception: Exception;
  onChange: (changed: Partial<Exception>) => void;
  onRemove: () => void;
}

function ExceptionRow({ id, exception, onChange, onRemove }: ExceptionRowProps) {
  const { kind, from, to } = exception;
  return (
    <div className="exception-row" data-testid="exception">
      <div className="field">
        <label htmlFor={`${id}-kind`}>{p('except.kind')}</label>
        <select
          id={`${id}-kind`}
          data-testid={`${id}-kind`}
          value={kind}
          onChange={({ target }) => onChange({ kind: target.value as ExceptionKind })}
        >
          {EXCEPTION_KINDS.map((each) => (
            <option key={each} value={each}>
              {p(`except.${each}`)}
            </option>
          ))}
        </select>
      </div>
      <TextField
        id={`${id}-from`}
        label={p('except.from')}
        type="datetime-local"
        value={from}
        onChange={(local) => onChange({ from: local })}
      />
      <TextField
        id={`${id}-to`}
        label={p('except.to')}
        type="datetime-local"
        value={to}
        onChange={(local) => onChange({ to: local })}
      />
      <Button
        look="quiet"
        testId={`${id}-remove`}
        label={named(p('except.remove'), from === '' ? p(`except.${kind}`) : from.replace('T', ' '))}
        onPress={onRemove}
      >
        {p('except.remove')}
      </Button>
    </div>
  );
}
