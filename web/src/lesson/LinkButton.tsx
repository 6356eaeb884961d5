import { useRoomContext } from '@livekit/components-react';
import { useEffect, useState } from 'react';

import { roomPath } from '../client/address';
import { Icon } from '../ui/Icon';

const CONFIRMED_MS = 2500;

/** Copies the room's link, which contains no secret. */
export function LinkButton({ onNotice }: { onNotice: (words: string) => void }) {
  const room = useRoomContext();
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return undefined;
    const timer = window.setTimeout(() => setCopied(false), CONFIRMED_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);

  const copy = async (): Promise<void> => {
    const link = window.location.origin + roomPath(room.name);
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      // There is no clipboard without https, and browsers may refuse it.
      onNotice(`Copy this link: ${link}`);
    }
  };

  const label = copied ? 'Link copied' : 'Copy the link to this room';
  return (
    <button
      type="button"
      className="round"
      data-testid="copy-link"
      aria-label={label}
      title={label}
      onClick={() => void copy()}
    >
      <Icon name={copied ? 'check' : 'link'} />
    </button>
  );
}
