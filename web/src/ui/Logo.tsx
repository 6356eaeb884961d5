export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect className="logo-ground" width="32" height="32" rx="8" />
        <path className="logo-desk" d="M6.5 14.5 22 8.5l3.5 5-15.5 5z" />
        <path className="logo-stand" d="M16 17.5v6M11 24.5h10" />
      </svg>
      Lectern
    </span>
  );
}
