import { s } from '../../../client/text/sessions/texts';
import { ZONES } from '../zones';

interface ZoneSelectProps {
  id: string;
  zone: string;
  onChange: (zone: string) => void;
}

/** A list of all time zones. */
export function ZoneSelect({ id, zone, onChange }: ZoneSelectProps) {
  return (
    <div className="field">
      <label htmlFor={id}>{s('home.zone')}</label>
      <select id={id} data-testid={id} value={zone} onChange={(event) => onChange(event.target.value)}>
        {ZONES.map((each) => (
          <option key={each} value={each}>
            {each.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </div>
  );
}
