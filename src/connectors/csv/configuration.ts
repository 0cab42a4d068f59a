import { type Static, Type } from 'typebox';
import { textSettings } from '../file-formats/text-settings.ts';
import { HttpAuth, NameAndValue } from '../http-auth/index.ts';

/** The keys are Polytomic's, so that a configuration written for it works here; those of the file's layout are ours. */
export const configuration = Type.Object(
  {
    url: Type.String({ title: 'URL', minLength: 1, examples: ['https://example.com/people.csv'] }),
    headers: Type.Optional(Type.Array(NameAndValue, { title: 'Headers' })),
    parameters: Type.Optional(Type.Array(NameAndValue, { title: 'Query parameters' })),
    auth: Type.Optional(HttpAuth),
    header: Type.Optional(
      Type.Boolean({
        title: 'The file begins with field names',
        description: 'Default: found in the file.',
      }),
    ),
    delimiter: Type.Optional(textSettings.delimiter),
    quote: Type.Optional(textSettings.quote),
    escape: Type.Optional(textSettings.escape),
    encoding: Type.Optional(textSettings.encoding),
  },
  { title: 'CSV by URL' },
);

export type Configuration = Static<typeof configuration>;
