/** The order of the people panel. */
import { handRaisedAt } from '../../stage/hands';

interface Ordered {
  isLocal: boolean;
  attributes: Readonly<Record<string, string>>;
}

/** The user first, then raised hands in the order in which they were raised, then the rest as they came. */
export function orderPeople<T extends Ordered>(people: readonly T[]): T[] {
  const rank = (person: T): number => {
    if (person.isLocal) return -1;
    return handRaisedAt(person.attributes) || Number.MAX_SAFE_INTEGER;
  };
  return [...people].sort((a, b) => rank(a) - rank(b));
}
