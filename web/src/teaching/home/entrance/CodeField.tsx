import { s } from '../../../client/text/sessions/texts';
import { TextField } from '../../../ui/controls/TextField';

interface CodeFieldProps {
  /** Undefined as long as no code is needed. */
  code: string | undefined;
  onChange: (code: string) => void;
}

/** Asks for the code of a second factor. */
export function CodeField({ code, onChange }: CodeFieldProps) {
  if (code === undefined) return null;
  return (
    <>
      <p role="status">{s('sign.codeExplain')}</p>
      <TextField
        id="sign-code"
        label={s('sign.code')}
        autoComplete="one-time-code"
        spellCheck={false}
        maxLength={40}
        value={code}
        onChange={onChange}
      />
    </>
  );
}
