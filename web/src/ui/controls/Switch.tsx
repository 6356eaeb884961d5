import { SwitchButton, SwitchField } from 'react-aria-components/Switch';

interface SwitchProps {
  label: string;
  help?: string;
  on: boolean;
  testId: string;
  onChange: (on: boolean) => void;
}

export function Switch({ label, help, on, testId, onChange }: SwitchProps) {
  return (
    <SwitchField className="switch-field" isSelected={on} onChange={onChange}>
      <SwitchButton className="switch" data-testid={testId}>
        <span className="switch-track" aria-hidden="true" />
        {label}
      </SwitchButton>
      {help !== undefined && <p className="soft">{help}</p>}
    </SwitchField>
  );
}
