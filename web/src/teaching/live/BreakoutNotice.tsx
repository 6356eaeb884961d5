import { clock } from '../../client/classroom/time';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { useLive, useServerNow } from './context';

/** The user's breakout, and when it closes. */
export function BreakoutNotice() {
  const { state, staff, run } = useLive();
  const { open, mine, rooms, endsAt } = state.breakouts;
  const room = rooms.find(({ id }) => id === mine);
  if (!open || (room === undefined && endsAt === undefined)) return null;
  return (
    <div className="notice" role="status" data-testid="breakout-notice" data-room={room?.name ?? ''}>
      <p>{room !== undefined && s('breakout.youAre', { room: room.name })}</p>
      {endsAt !== undefined && <Countdown endsAt={endsAt} />}
      {staff && room !== undefined && (
        <Button
          look="quiet"
          testId="breakout-back"
          onPress={() => void run('/breakouts/visit', { room: '' })}
        >
          {s('breakout.back')}
        </Button>
      )}
    </div>
  );
}

function Countdown({ endsAt }: { endsAt: number }) {
  const now = useServerNow();
  // Screen readers would announce each second.
  return <span aria-hidden="true">{s('breakout.endsIn', { time: clock(endsAt - now) })}</span>;
}
