import { Room } from 'livekit-client';
import { useEffect, useState } from 'react';

import { MEDIA_DEVICE_KIND, type DeviceKind } from '../client/media/devices';

/**
 * The devices of a kind that have names, kept up to date. Browsers name devices only once a page may use one, so
 * `revision` is something that changes when that may have happened.
 */
export function useDeviceList(kind: DeviceKind, revision: unknown): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    // Absent in insecure contexts, whatever the types say.
    const source = navigator.mediaDevices as MediaDevices | undefined;
    if (source === undefined) return undefined;
    let current = true;
    const update = (): void => {
      // Without asking for permission: the preview does that, and says what it is for.
      Room.getLocalDevices(MEDIA_DEVICE_KIND[kind], false).then(
        (found) => {
          if (current) setDevices(found.filter((device) => device.deviceId !== ''));
        },
        () => undefined,
      );
    };
    update();
    source.addEventListener('devicechange', update);
    return () => {
      current = false;
      source.removeEventListener('devicechange', update);
    };
  }, [kind, revision]);
  return devices;
}
