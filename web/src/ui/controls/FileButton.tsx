import { useRef } from 'react';

import { Button } from './Button';
import type { IconName, IconShape } from './Icon';

interface FileButtonProps {
  children: string;
  icon: IconName | IconShape;
  /** Endings of names, as `accept` has them. */
  accept: string;
  testId: string;
  look?: 'plain' | 'primary' | 'quiet';
  disabled?: boolean;
  onFile: (file: File) => void;
}

/** A button that lets the user choose a file. The input itself is hidden, because browsers word it in their own language. */
export function FileButton({
  children,
  icon,
  accept,
  testId,
  look = 'plain',
  disabled,
  onFile,
}: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        look={look}
        icon={icon}
        testId={testId}
        disabled={disabled ?? false}
        onPress={() => input.current?.click()}
      >
        {children}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        data-testid={`${testId}-input`}
        onChange={({ target }) => {
          const file = target.files?.[0];
          // The same file can be chosen again.
          target.value = '';
          if (file !== undefined) onFile(file);
        }}
      />
    </>
  );
}
