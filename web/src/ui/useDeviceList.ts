import { Room } from 'livekit-client';
import { useEffect, useState } from 'react';

import { MEDIA_DEVICE_KIND, type DeviceKind } from '../client/media/devices';

/**
 * The devices of a kind, kept up to date. Browsers name devices only once the page may use one of them, so the list is
 * read again when `revision` changes.
 */
export function useDeviceList(kind: DeviceKind, revision: unknown): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    // Absent in insecure contexts, although the type says otherwise.
    const source = navigator.mediaDevices as MediaDevices | undefined;
    if (source === undefined) return undefined;
    let current = true;
    const update = (): void => {
      // Without asking for permission: the preview asks, where people see what it is for.
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
