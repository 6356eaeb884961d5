/** Says why the last call of a card failed. */
export function CardProblem({ problem, testId }: { problem: string; testId: string }) {
  if (problem === '') return null;
  return (
    <p role="alert" className="problem" data-testid={testId}>
      {problem}
    </p>
  );
}
