import { expect, it } from 'vitest';

import { linkParts } from './links';

it.each<[string, (string | [string])[]]>([
  ['', []],
  ['no address', ['no address']],
  ['see https://a.example/x?y=1#z.', ['see ', ['https://a.example/x?y=1#z'], '.']],
  ['(http://a.example), HTTPS://B.example!', ['(', ['http://a.example'], '), ', ['HTTPS://B.example'], '!']],
  ['javascript:alert(1) data:text/html,x', ['javascript:alert(1) data:text/html,x']],
  ['https://', ['https://']],
  ['<a href="https://a.example">', ['<a href="', ['https://a.example'], '">']],
])('%s', (text, parts) => {
  const expected = parts.map((part) =>
    typeof part === 'string' ? { text: part } : { text: part[0], href: part[0] },
  );
  expect(linkParts(text)).toEqual(expected);
});
