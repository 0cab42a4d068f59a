import { expect, test } from 'vitest';
import { checkTexts } from './check-texts.ts';

test.each([
  [{ secret: 'token\n' }, 'configuration.secret: begins or ends with a line break: leave it out'],
  [{ auth: { basic: { password: '\r\nword' } } }, 'configuration.auth.basic.password: begins'],
  [
    {
      headers: [
        { name: 'X-A', value: 'a' },
        { name: 'X Key', value: 'a' },
      ],
    },
    'configuration.headers.1.name: is no',
  ],
  [{ header: { name: 'Key:', value: 'a' } }, 'configuration.header.name: is no name of a header'],
  [
    { auth: { header: { name: 'Key', value: 'a\nb' } } },
    'configuration.auth.header.value: holds a line break',
  ],
  [{ url: 'https://user:pw@example.com/' }, 'configuration.url: holds a user name or password'],
  [
    { oauth: { token_endpoint: 'HTTPS://u@example.com' } },
    'configuration.oauth.token_endpoint: holds a user',
  ],
  [{ url: 'https://example.com/a b' }, 'configuration.url: holds white space'],
  [{ hostname: 'db\0' }, 'configuration.hostname: holds a NUL character'],
])('%j', (configuration, reason) => {
  expect(() => checkTexts(configuration)).toThrow(reason);
});

test('what may have lines or spaces has them', () => {
  checkTexts({
    url: 'https://example.com/?mail=a@b',
    healthcheck: 'https://example.com/{{ id }}',
    ca_cert: '-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n',
    service_account: '{\n"type": "service_account"\n}\n',
    password: ' a  b ',
    headers: [
      { name: 'X-Key', value: 'two words\tand a tab' },
      { name: '', value: '' },
    ],
    body: '{"a":\n1}\n',
    query: [{ name: 'any name', value: 'a b' }],
  });
});
