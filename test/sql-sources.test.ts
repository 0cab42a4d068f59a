import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { reviewed } from './reviewed-sql.ts';

/**
 * Reads the sources for SQL that is made of foreign text otherwise than by `lib/sql-quoting.ts`. A template is taken for SQL by
 * its words; what stands in it is judged by how it is called.
 */
const source = path.join(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|\.fixture\.ts$|conformance|^cli|^api/.test(name))
  .toSorted();

interface Node {
  type: string;
  start: number;
  end: number;
  [member: string]: unknown;
}

interface Found {
  file: string;
  /** Texts before, between and behind the expressions. */
  texts: string[];
  expressions: string[];
  /** `ask(client, …)`, `client.query(…)`: what the template is handed to. */
  callee: string | undefined;
}

const isSql =
  /^[\s(]*(select|insert|update|delete|create|alter|drop|copy|with|truncate|lock|grant|revoke|set|add column|modify|cast|case|from|where|join|exists|not exists)\b|\b(from|where|coalesce|collate|varchar|exists)\b|::/i;

function* templates(file: string): Generator<Found> {
  const text = readFileSync(path.join(source, file), 'utf8');
  const of = (node: Node) => text.slice(node.start, node.end).replaceAll(/\s+/g, ' ');
  function* walk(node: Node, parent: Node | undefined): Generator<Found> {
    if (node.type === 'TemplateLiteral' && parent?.type !== 'TaggedTemplateExpression') {
      const texts = (node.quasis as { value: { raw: string } }[]).map(({ value }) => value.raw);
      const isCall = parent?.type === 'CallExpression' && (parent.arguments as Node[]).includes(node);
      const callee = isCall ? of(parent.callee as Node).replace(/<.*>$/, '') : undefined;
      if (isSql.test(texts.join('?'))) {
        yield { file, texts, expressions: (node.expressions as Node[]).map(of), callee };
      }
    }
    for (const member of Object.values(node)) {
      for (const child of Array.isArray(member) ? member : [member]) {
        if (typeof child?.type === 'string') yield* walk(child as Node, node);
      }
    }
  }
  yield* walk(parseAst(text, { lang: 'ts' }) as unknown as Node, undefined);
}

const all = files.flatMap((file) => [...templates(file)]);

test('the sources have SQL to look at', () => {
  expect(all.length).toBeGreaterThan(500);
  expect(new Set(all.map(({ file }) => file)).size).toBeGreaterThan(100);
});

test('one module escapes what is quoted', () => {
  const escapes = /replaceAll?\(\s*(?:"'"|'"'|'`'|\/\['|\/'\/|\/"\/)|escape(?:Identifier|Literal)/;
  const found = files.filter((file) => escapes.test(readFileSync(path.join(source, file), 'utf8')));
  expect(found).toEqual([
    // Looked for among the labels of an enum, as MySQL shows them.
    'conditions/operands.ts',
    // CSV.
    'connectors/file-formats/write-text.ts',
    // Ids of tables, in requests and answers.
    'connectors/table-id.ts',
    'lib/sql-quoting.ts',
  ]);
});

test('between quotes of a statement stand constants alone', () => {
  const found = all.flatMap(({ file, texts, expressions }) =>
    expressions.flatMap((expression, index) => {
      const isQuoted = /['"]$/.test(texts[index] ?? '') && /^['"]/.test(texts[index + 1] ?? '');
      return isQuoted ? [`${file}: ${expression}`] : [];
    }),
  );
  expect(found.filter((one) => !reviewed.quoted.includes(one))).toEqual([]);
});

test('what is called like foreign text is quoted, or was looked at', () => {
  const word =
    'type|typeName|remoteType|baseType|carrier|name|schema|database|collation|charset|label|id|text|value|from|to';
  const foreign = new RegExp(
    `(?:^|\\.|\\W)(?:${word})s?(?:\\(.*\\))?(?: \\?\\? .*)?$|=> \\(?\\w*(?:name|type|text)\\b`,
  );
  const quoted =
    /^(?:await )?(?:\w+\.)*(?:identifier|literal|qualified|declaredType|charset|charsetName|bits|hexadecimal|utf8|quote|shownType|stateOf|list)\(|\.map\((?:identifier|literal)\)/;
  const found = new Set(
    all.flatMap(({ file, expressions }) =>
      expressions.filter((one) => foreign.test(one) && !quoted.test(one)).map((one) => `${file}: ${one}`),
    ),
  );
  const known = Object.entries(reviewed.foreign).flatMap(([file, list]) =>
    list.map((one) => `${file}: ${one}`),
  );
  expect([...found].filter((one) => !known.includes(one))).toEqual([]);
  // What is not there any more need not be looked at.
  expect(known.filter((one) => !found.has(one))).toEqual([]);
});

test('the catalogue of a PostgreSQL server is asked under the system’s path', () => {
  const catalogue = /\b(?:from|join) pg_[a-z_]+|\bformat_type\(|(?<!pg_catalog\.)\bformat\('%/;
  const found = all.filter(
    ({ file, texts, callee }) =>
      file.startsWith('connectors/postgresql/') &&
      catalogue.test(texts.join('?')) &&
      callee !== undefined &&
      callee !== 'ask',
  );
  expect(found.map(({ file, texts }) => `${file}: ${texts[0]?.slice(0, 60)}`)).toEqual([]);
});
