import type { ChangeEvent, InputHTMLAttributes } from 'react';

type Allowed =
  'autoCapitalize' | 'autoComplete' | 'className' | 'maxLength' | 'readOnly' | 'spellCheck' | 'type';

interface TextFieldProps extends Pick<InputHTMLAttributes<HTMLInputElement>, Allowed> {
  id: string;
  label: string;
  value: string;
  /** The id unless given. */
  testId?: string;
  /** Makes it a text area of this height. */
  rows?: number;
  onChange: (value: string) => void;
}

/** A text input with its label. */
export function TextField({ id, label, value, testId = id, rows, onChange, ...rest }: TextFieldProps) {
  const shared = { id, value, 'data-testid': testId };
  const change = ({ target }: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>): void =>
    onChange(target.value);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {rows === undefined ? (
        <input autoComplete="off" {...rest} {...shared} onChange={change} />
      ) : (
        <textarea maxLength={rest.maxLength} rows={rows} {...shared} onChange={change} />
      )}
    </div>
  );
}
