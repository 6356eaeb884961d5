import { useEffect, useState } from 'react';

import { qrPath } from './qrPath';

// Light modules around the code, which scanners need (ISO/IEC 18004, quiet zone).
const QUIET = 4;

/** A QR code as a picture; black on white in both schemes, as scanners need it. */
export function QrCode({ content, label }: { content: string; label: string }) {
  const [code, setCode] = useState<{ size: number; path: string }>();
  useEffect(() => {
    let current = true;
    // Only this needs the encoder.
    void import('uqr').then(({ encode }) => {
      const { size, data } = encode(content, { border: QUIET });
      if (current) setCode({ size, path: qrPath(data) });
    });
    return () => {
      current = false;
    };
  }, [content]);
  if (code === undefined) return <div className="qr-code" />;
  const { size, path } = code;
  return (
    <svg
      className="qr-code"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      data-testid="factor-picture"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
