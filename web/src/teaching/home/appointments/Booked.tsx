import { useCallback, useEffect, useState } from 'react';

import { placePath } from '../../../client/classroom/place';
import { appointments, type Booking } from '../../../client/classroom/school/appointments';
import { dateAndTime } from '../../../client/text/catalogue';
import { p } from '../../../client/text/planning/texts';
import { named } from '../../../client/text/sessions/texts';
import { Button } from '../../../ui/controls/Button';
import { Dialog } from '../../../ui/surfaces/Dialog';
import { CardProblem } from '../account/CardProblem';
import { useAttempt, type CardProps } from '../account/useAttempt';

interface BookedProps extends CardProps {
  tutor: string;
  title: string;
  empty: string;
  /** Counts changes of bookings. */
  changes: number;
  /** Show who booked. */
  names?: boolean;
  onChanged: () => void;
}

/** The appointments to come with one tutor; each can be cancelled. */
export function Booked(props: BookedProps) {
  const { caller, onSignedOut, tutor, title, empty, changes, names = false, onChanged } = props;
  const [bookings, setBookings] = useState<readonly Booking[]>();
  const [cancelling, setCancelling] = useState<Booking>();
  const [cancelled, setCancelled] = useState(false);
  const { attempt, busy, problem } = useAttempt(onSignedOut);
  const load = useCallback(async () => setBookings(await appointments.list(caller, tutor)), [caller, tutor]);
  useEffect(() => {
    const first = window.setTimeout(() => void attempt(load));
    return () => window.clearTimeout(first);
  }, [attempt, load, changes]);
  const cancel = ({ session }: Booking): void => {
    setCancelling(undefined);
    void attempt(async () => {
      await appointments.cancel(caller, tutor, session);
      setCancelled(true);
      onChanged();
    });
  };
  return (
    <section className="card fields" data-testid={names ? 'booked-own' : 'booked'}>
      <h2>{title}</h2>
      {bookings?.length === 0 && <p className="soft">{empty}</p>}
      <ul className="bans">
        {bookings?.map((booking) => (
          <li key={booking.session} data-testid="booking">
            <div>
              <strong>{dateAndTime(booking.startsAt)}</strong>
              {names && <p>{booking.name}</p>}
              {booking.topic !== '' && <p className="soft">{booking.topic}</p>}
            </div>
            <a
              className="button"
              href={placePath({ kind: 'session', id: booking.session })}
              aria-label={named(p('book.open'), dateAndTime(booking.startsAt))}
            >
              {p('book.open')}
            </a>
            <Button
              look="quiet"
              testId="booking-cancel"
              label={named(p('book.cancel'), dateAndTime(booking.startsAt))}
              disabled={busy}
              onPress={() => setCancelling(booking)}
            >
              {p('book.cancel')}
            </Button>
          </li>
        ))}
      </ul>
      <p role="status">{cancelled && p('book.cancelled')}</p>
      <CardProblem problem={problem} testId="booked-problem" />
      {cancelling !== undefined && (
        <Dialog
          title={p('book.cancelAsk')}
          role="alertdialog"
          testId="booking-dialog"
          onClose={() => setCancelling(undefined)}
        >
          <p>{dateAndTime(cancelling.startsAt)}</p>
          <div className="actions">
            <Button look="danger" testId="booking-cancel-confirm" onPress={() => cancel(cancelling)}>
              {p('book.cancel')}
            </Button>
            <Button firstFocus onPress={() => setCancelling(undefined)}>
              {p('book.keep')}
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}
