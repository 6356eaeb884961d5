/** The outline of the dark modules of a QR code, as SVG path data: one rectangle for each run of them in a row. */
export function qrPath(rows: readonly (readonly boolean[])[]): string {
  return rows.map(pathOfRow).join('');
}

function pathOfRow(row: readonly boolean[], y: number): string {
  let path = '';
  let x = 0;
  while (x < row.length) {
    const from = x;
    while (row[x] === true) x += 1;
    if (x > from) path += `M${from} ${y}h${x - from}v1h-${x - from}z`;
    else x += 1;
  }
  return path;
}
