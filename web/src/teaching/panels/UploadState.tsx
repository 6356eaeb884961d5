/** The state of an upload, or why it failed. */
export function UploadState({ words, problem }: { words: string; problem: string }) {
  return (
    <>
      <div role="status">
        {words !== '' && (
          <>
            <p className="soft" data-testid="upload-busy">
              {words}
            </p>
            <div className="progress" aria-hidden="true" />
          </>
        )}
      </div>
      {problem !== '' && (
        <p role="alert" className="problem" data-testid="upload-problem">
          {problem}
        </p>
      )}
    </>
  );
}
