import { useEffect, useState } from 'react';

import { MEDIA_DEVICE_KIND, type DeviceKind } from '../../client/media/devices/devices';

export type SelectableKind = DeviceKind | 'speaker';

/**
 * The devices of a kind, kept up to date. Browsers name devices only once the page may use one of them, so the list is
 * read again when `revision` changes.
 */
export function useDeviceList(kind: SelectableKind, revision: unknown): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    // Absent in insecure contexts, although the type says otherwise.
    const source = navigator.mediaDevices as MediaDevices | undefined;
    if (source === undefined) return undefined;
    let current = true;
    const update = (): void => {
      // This does not ask for permission: the preview asks, where people see what it is for.
      source.enumerateDevices().then(
        (found) => {
          if (current) setDevices(found.filter((each) => each.kind === wanted && each.deviceId !== ''));
        },
        () => undefined,
      );
    };
    const wanted = kind === 'speaker' ? 'audiooutput' : MEDIA_DEVICE_KIND[kind];
    update();
    source.addEventListener('devicechange', update);
    return () => {
      current = false;
      source.removeEventListener('devicechange', update);
    };
  }, [kind, revision]);
  return devices;
}
