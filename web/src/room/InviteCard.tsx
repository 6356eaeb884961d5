import { useEffect, useState } from 'react';

import { t } from '../client/text/catalogue';
import { Button } from '../ui/controls/Button';
import type { Invite } from './wire';

const CONFIRMED_MS = 2500;

/** Copies the link. `failed` receives the link if the browser does not let the page copy it. */
export function useCopyLink(invite: Invite | undefined, onNotice: (words: string) => void) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), CONFIRMED_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<boolean> => {
    const link = await invite?.().catch(() => undefined);
    if (link === undefined) {
      onNotice(t('problem.invite'));
      return false;
    }
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
      return true;
    } catch {
      // There is no clipboard without https, and browsers may refuse it.
      onNotice(t('problem.copy', { link }));
      return false;
    }
  };
  return { copied, copy };
}

interface InviteCardProps {
  invite: Invite | undefined;
  onNotice: (words: string) => void;
}

/** Shown to a user who is alone in a room: what to do next, and the link to send. */
export function InviteCard({ invite, onNotice }: InviteCardProps) {
  const { copied, copy } = useCopyLink(invite, onNotice);
  return (
    <section className="invite card" aria-label={t('alone.title')} data-testid="alone">
      <h2>{t('alone.title')}</h2>
      <p className="soft">{t(invite === undefined ? 'alone.wait' : 'alone.invite')}</p>
      {invite !== undefined && (
        <Button
          look="primary"
          icon={copied ? 'check' : 'link'}
          testId="invite-copy"
          onPress={() => void copy()}
        >
          {t(copied ? 'action.copied' : 'action.copy')}
        </Button>
      )}
    </section>
  );
}
