/** Events of a session in the form that the page applies: unfolded from the runs of a message. */
import { fieldsOf, listOf, numberOf, textOf, type Fields } from '../../json';

/** Fields of the kind are read where the event is applied. */
export interface SessionEvent {
  type: string;
  /** Seconds since 1970. */
  at: number;
  /** Id of the person who caused it; empty for the server, or where the name is hidden. */
  by: string;
  fields: Fields;
}

export function readEvent(value: unknown): SessionEvent {
  const fields = fieldsOf(value);
  return {
    type: textOf(fields['type']),
    at: numberOf(fields['at']) ?? 0,
    by: textOf(fields['by']),
    fields,
  };
}

/** The events of runs: event number i has the fields of `same` and the i-th value of each column. */
export function unfold(runs: readonly unknown[]): SessionEvent[] {
  return runs.map(fieldsOf).flatMap((run) => {
    const columns = Object.entries(fieldsOf(run['columns']));
    return Array.from({ length: numberOf(run['count']) ?? 0 }, (_, index) =>
      readEvent({
        type: run['type'],
        ...fieldsOf(run['same']),
        ...Object.fromEntries(columns.map(([name, values]) => [name, listOf(values)[index]])),
      }),
    );
  });
}
