import { useState } from 'react';

import { schedule } from '../../../client/classroom/school/schedule';
import { t } from '../../../client/text/catalogue';
import { s } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { TextField } from '../../../ui/controls/TextField';
import type { PartProps } from '../parts';

/** The URL at which a calendar program finds a person's sessions. */
export function CalendarLink({ caller, attempt }: PartProps) {
  const [url, setUrl] = useState('');
  const [copied, setCopied] = useState(false);
  const show = (): void => void attempt(async () => setUrl(await schedule.calendar(caller)));
  const copy = (): void =>
    void navigator.clipboard
      .writeText(url)
      .then(() => setCopied(true))
      // The address can be selected by hand.
      .catch(() => undefined);
  return (
    <section className="card fields" data-testid="calendar">
      <h2>{s('calendar.title')}</h2>
      <p className="soft">{s('calendar.explain')}</p>
      {url === '' ? (
        <Button testId="calendar-show" onPress={show}>
          {s('calendar.show')}
        </Button>
      ) : (
        <>
          <TextField
            id="calendar-url"
            label={s('calendar.url')}
            readOnly
            value={url}
            onChange={() => undefined}
          />
          <Button icon={copied ? 'check' : 'link'} testId="calendar-copy" onPress={copy}>
            {t(copied ? 'action.copied' : 'action.copy')}
          </Button>
        </>
      )}
    </section>
  );
}
