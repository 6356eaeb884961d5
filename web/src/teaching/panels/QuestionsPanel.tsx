import { useState, type SyntheticEvent } from 'react';

import type { Question } from '../../client/classroom/live/work/questions';
import { nameOf } from '../../client/classroom/live/state';
import { s } from '../../client/text/sessions/texts';
import { Button } from '../../ui/controls/Button';
import { TextField } from '../../ui/controls/TextField';
import { Switch } from '../../ui/controls/Switch';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';

/** Questions, most votes first; students ask and vote, staff answer. */
export function QuestionsPanel({ onClose }: { onClose: () => void }) {
  const { state, staff } = useLive();
  return (
    <Panel title={s('panel.questions')} testId="questions-panel" onClose={onClose}>
      {!staff && <AskForm />}
      {state.questions.length === 0 && <p className="soft">{s('question.none')}</p>}
      <ul className="panel-list">
        {state.questions.map((question) => (
          <Item key={question.id} question={question} />
        ))}
      </ul>
    </Panel>
  );
}

function AskForm() {
  const { state, run } = useLive();
  const [text, setText] = useState('');
  const [anonymous, setAnonymous] = useState(false);
  const submit = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    if (text.trim() !== '' && (await run('/questions', { text: text.trim(), anonymous }))) setText('');
  };
  return (
    <form className="fields" onSubmit={(event) => void submit(event)}>
      <TextField
        id="question-text"
        label={s('question.text')}
        rows={2}
        maxLength={1000}
        value={text}
        onChange={setText}
      />
      {state.lifecycle.anonymousQuestions && (
        <Switch
          label={s('question.anonymous')}
          on={anonymous}
          testId="question-anonymous"
          onChange={setAnonymous}
        />
      )}
      <Button submit look="primary" testId="question-send" disabled={text.trim() === ''}>
        {s('question.send')}
      </Button>
    </form>
  );
}

function Item({ question }: { question: Question }) {
  const { state, staff, me, run } = useLive();
  const { id, by, text, votes, voted, answered, answer } = question;
  const path = `/questions/${id}`;
  return (
    <li className="panel-item" data-testid="question" data-answered={answered}>
      <p className="soft">
        {by === '' ? s('question.anonymousBy') : nameOf(state, by)} · {s('question.votes', { count: votes })}
        {answered && ` · ${s('question.answered')}`}
      </p>
      <p>{text}</p>
      {answer !== '' && <p className="answer">{answer}</p>}
      <div className="actions">
        {staff ? (
          <StaffActions path={path} answered={answered} />
        ) : (
          by !== me &&
          state.lifecycle.upvotes && (
            <Button
              look="quiet"
              testId="question-vote"
              onPress={() => void run(`${path}/${voted ? 'take-back' : 'upvote'}`)}
            >
              {s(voted ? 'question.unvote' : 'question.vote')}
            </Button>
          )
        )}
      </div>
    </li>
  );
}

function StaffActions({ path, answered }: { path: string; answered: boolean }) {
  const { run } = useLive();
  const [writing, setWriting] = useState(false);
  const [text, setText] = useState('');
  if (writing) {
    return (
      <form
        className="fields"
        onSubmit={(event) => {
          event.preventDefault();
          setWriting(false);
          void run(`${path}/answer`, { text: text.trim() });
        }}
      >
        <TextField
          id={`answer-${path}`}
          label={s('question.answerText')}
          testId="answer-text"
          rows={2}
          maxLength={2000}
          value={text}
          onChange={setText}
        />
        <Button submit look="primary" testId="answer-send">
          {s('question.answer')}
        </Button>
      </form>
    );
  }
  return (
    <>
      <Button look="quiet" testId="question-answer" onPress={() => setWriting(true)}>
        {s('question.answer')}
      </Button>
      {!answered && (
        <Button look="quiet" testId="question-aloud" onPress={() => void run(`${path}/answer`)}>
          {s('question.aloud')}
        </Button>
      )}
      <Button look="quiet" testId="question-done" onPress={() => void run(`${path}/resolve`)}>
        {s('question.done')}
      </Button>
      <Button look="quiet" testId="question-dismiss" onPress={() => void run(`${path}/dismiss`)}>
        {s('question.dismiss')}
      </Button>
    </>
  );
}
