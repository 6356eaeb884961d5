import type { Access } from '../client/server/server';
import { BlurSwitch } from '../ui/controls/BlurSwitch';
import { ConnectionCheck } from '../ui/preview/ConnectionCheck';
import { SpeakerTest } from '../ui/preview/SpeakerTest';

interface LobbyTestsProps {
  speaker: string;
  /** Changes when the browser may have named more devices. */
  revision: unknown;
  onSpeaker: (id: string) => void;
  checkAccess: () => Promise<Access>;
}

/** What people may try before they join. It is loaded after the form, which does not need it. */
export function LobbyTests({ speaker, revision, onSpeaker, checkAccess }: LobbyTestsProps) {
  return (
    <div className="lobby-tests">
      <BlurSwitch />
      <SpeakerTest speaker={speaker} revision={revision} onChoose={onSpeaker} />
      <ConnectionCheck access={checkAccess} />
    </div>
  );
}
