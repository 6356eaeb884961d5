/** The order of the people panel. */
interface Ordered {
  isLocal: boolean;
}

/** The user first, then raised hands in the order in which they were raised, then the rest in the order of joining. */
export function orderPeople<T extends Ordered>(people: readonly T[], handAt: (person: T) => number): T[] {
  const rank = (person: T): number => {
    if (person.isLocal) return -1;
    return handAt(person) || Number.MAX_SAFE_INTEGER;
  };
  return [...people].sort((a, b) => rank(a) - rank(b));
}
