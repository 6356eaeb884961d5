import { useState } from 'react';

import { RoomScreen } from '../../room/RoomScreen';
import { ALL_FEATURES, FIRST_VIEW, type RoomView, type Sidebar } from '../../room/view';
import { useLanguage } from '../../ui/hooks/useLanguage';
import { exampleWire } from './exampleRoom';

/** A whole room of made-up people, with one of its panels. */
export function ExampleRoom({ people, panel }: { people: number; panel: string | null }) {
  useLanguage();
  const [wire] = useState(() => exampleWire(people));
  const sidebar: Sidebar = panel === 'chat' || panel === 'people' || panel === 'network' ? panel : null;
  const [view, setView] = useState<RoomView>({ ...FIRST_VIEW, sidebar });
  const [notice, setNotice] = useState('');
  return (
    <RoomScreen
      wire={wire}
      testId="lesson"
      features={{ ...ALL_FEATURES, ding: false }}
      view={view}
      fullscreen={undefined}
      notice={notice}
      invite={() => Promise.resolve('https://lectern.example/join/example')}
      onView={(change) => setView({ ...view, ...change })}
      onNotice={setNotice}
      onDevice={() => undefined}
      onLeave={() => undefined}
    />
  );
}
