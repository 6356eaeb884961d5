export function Logo() {
  return (
    <span className="logo">
      <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect className="logo-ground" width="32" height="32" rx="8" />
        <path className="logo-desk" d="M6 8h20l-3 7H9z" />
        <path className="logo-stand" d="M16 15v8.5M10.5 24h11" />
      </svg>
      Lectern
    </span>
  );
}
