import { placePath } from '../../client/classroom/place';
import { refusalWords } from '../../client/classroom/refusal';
import { useLanguage } from '../../ui/hooks/useLanguage';
import { Message } from '../../ui/surfaces/Message';

/** In place of the page that a link or a sign-in led to: why it was refused, and the way on. */
export function Refused({ code }: { code: string }) {
  useLanguage();
  const { title, detail, home } = refusalWords(code);
  return (
    <Message title={title} testId="refusal">
      <p role="status">{detail}</p>
      <div className="actions">
        <a className="button" href={placePath({ kind: 'home' })} data-testid="to-home">
          {home}
        </a>
      </div>
    </Message>
  );
}
