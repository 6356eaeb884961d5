import { isLink } from '../../client/classroom/school/library';
import { pathOf } from '../../client/classroom/sessions';
import { p } from '../../client/text/planning/texts';
import { Button } from '../../ui/controls/Button';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { useLive } from '../live/context';
import { saveBlob } from '../saveBlob';

/** The link and the file of an exercise, as far as it has them. */
export function ExerciseMaterial({ link, file }: { link: string; file: string }) {
  const { session, state, wire } = useLive();
  const name = state.files.find(({ id }) => id === file)?.name;
  const load = (): void =>
    void wire.run(async () => {
      const blob = await session.caller.load(`${pathOf(session.id)}/files/${encodeURIComponent(file)}`);
      saveBlob(blob, name ?? p('library.exercise'));
    });
  return (
    <>
      {link !== '' && isLink(link) && (
        <p className="exercise-text">
          <a href={link} target="_blank" rel="noopener noreferrer" data-testid="exercise-link">
            {link}
          </a>
        </p>
      )}
      {file !== '' && (
        <Button icon={TEACHING.download} look="quiet" testId="exercise-file" onPress={load}>
          {name === undefined ? p('library.load') : p('library.file', { name })}
        </Button>
      )}
    </>
  );
}
