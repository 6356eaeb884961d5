import { useState } from 'react';

import { RoomScreen, type Features } from '../../room/RoomScreen';
import { FIRST_VIEW, type RoomView, type Sidebar } from '../../room/view';
import { useLanguage } from '../../ui/hooks/useLanguage';
import { exampleWire } from './exampleRoom';

const FEATURES: Features = {
  people: true,
  chat: true,
  network: true,
  screenShare: true,
  hands: true,
  hideOwn: false,
  hideOthers: false,
  ding: false,
  waiting: 0,
};

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
      features={FEATURES}
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
