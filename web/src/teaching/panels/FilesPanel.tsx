import { useState } from 'react';

import { ACCEPTED, sendFile } from '../../client/classroom/uploads';
import { may } from '../../client/classroom/live/permissions';
import { nameOf } from '../../client/classroom/live/state';
import type { SessionFile } from '../../client/classroom/live/work/files';
import { pathOf } from '../../client/classroom/sessions';
import { bytes } from '../../client/text/catalogue';
import { named, s } from '../../client/text/sessions/texts';
import { FileButton } from '../../ui/controls/FileButton';
import { IconButton } from '../../ui/controls/IconButton';
import { Switch } from '../../ui/controls/Switch';
import { TEACHING } from '../../ui/controls/teachingIcons';
import { Confirm } from '../../ui/surfaces/Confirm';
import { Panel } from '../../ui/surfaces/Panel';
import { useLive } from '../live/context';
import { saveBlob } from '../saveBlob';
import { UploadState } from './UploadState';
import { useUpload } from './useUpload';

/** The files of the lesson: add, download, remove. */
export function FilesPanel({ onClose }: { onClose: () => void }) {
  const { state, staff, session, drop } = useLive();
  const [staffOnly, setStaffOnly] = useState(false);
  const [removing, setRemoving] = useState<SessionFile>();
  const { upload, problem, start, cancel } = useUpload(async (file, watcher) => {
    await sendFile(session, file, staffOnly, watcher);
  });
  return (
    <Panel title={s('panel.files')} testId="files-panel" onClose={onClose}>
      {may(state.permissions, state.people.role, 'files.add') && (
        <div className="upload">
          {staff && (
            <Switch
              label={s('files.staffOnly')}
              on={staffOnly}
              testId="files-staff"
              onChange={setStaffOnly}
            />
          )}
          <FileButton
            look="primary"
            icon={TEACHING.upload}
            accept={ACCEPTED}
            testId="file-add"
            disabled={upload !== undefined}
            onFile={start}
          >
            {s('files.add')}
          </FileButton>
          <p className="soft">{s('files.limits')}</p>
        </div>
      )}
      <UploadState
        upload={upload}
        finishing={(name) => s('files.checking', { name })}
        problem={problem}
        onCancel={cancel}
      />
      {state.files.length === 0 && <p className="soft">{s('files.none')}</p>}
      {/* Reachable by keyboard, because it scrolls. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above; axe demands it */}
      <ul className="panel-list" tabIndex={0} aria-label={s('panel.files')}>
        {state.files.map((file) => (
          <FileRow key={file.id} file={file} onRemove={() => setRemoving(file)} />
        ))}
      </ul>
      {removing !== undefined && (
        <Confirm
          title={s('files.removeAsk', { name: removing.name })}
          action={s('files.remove')}
          testId="file-dialog"
          confirmId="file-remove-confirm"
          onConfirm={() => {
            setRemoving(undefined);
            void drop(`/files/${removing.id}`);
          }}
          onCancel={() => setRemoving(undefined)}
        />
      )}
    </Panel>
  );
}

function FileRow({ file, onRemove }: { file: SessionFile; onRemove: () => void }) {
  const { state, staff, me, session, wire } = useLive();
  const { id, by, name, size, scope } = file;
  const load = (): void =>
    void wire.run(async () => saveBlob(await session.caller.load(`${pathOf(session.id)}/files/${id}`), name));
  const from = by === me ? s('files.you') : nameOf(state, by);
  return (
    <li className="panel-item file-row" data-testid="file" data-name={name}>
      <div className="file-words">
        <p className="item-title">{name}</p>
        <p className="soft">
          {bytes(size)}
          {from !== '' && ` · ${from}`}
          {scope === 'staff' && ` · ${s('files.onlyStaff')}`}
          {scope === 'person' && ` · ${s('files.private')}`}
        </p>
      </div>
      <IconButton
        look="bare"
        icon={TEACHING.download}
        label={named(s('files.load'), name)}
        testId="file-load"
        onPress={load}
      />
      {(by === me || staff) && (
        <IconButton
          look="bare"
          icon={TEACHING.trash}
          label={named(s('files.remove'), name)}
          testId="file-remove"
          onPress={onRemove}
        />
      )}
    </li>
  );
}
