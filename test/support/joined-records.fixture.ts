/**
 * Reads the records of a model in a process of its own, whose memory is limited: `joined-records.fixture.ts
 * <database url> <organization> <model> <fields, as JSON>`. Prints how many there were.
 */
import { openDatabase } from '../../src/db/index.ts';
import { createEgress } from '../../src/egress/index.ts';
import { KeyRing } from '../../src/lib/seal.ts';
import { getModel, openModelSource } from '../../src/models/index.ts';

const [url = '', organizationId = '', modelId = '', names = '[]'] = process.argv.slice(2);
const { db, close } = openDatabase(url);
const egress = createEgress({ allow: ['127.0.0.0/8'] });
// The key of startModelSyncs, which is not imported: it would take memory.
const deps = { db, egress, keyRing: new KeyRing([Buffer.alloc(32, 7)]) };
const fields = JSON.parse(names) as string[];
const counts = { records: 0, partnerless: 0 };
{
  const model = await getModel(db, organizationId, modelId);
  await using source = await openModelSource(deps, model, { wanted: [...fields, 'id'] });
  const query = { fields, identity: 'id' };
  for await (const records of source.records(query)) {
    counts.records += records.length;
    counts.partnerless += records.filter(({ values }) => values.includes(null)).length;
  }
}
console.log(JSON.stringify(counts));
await egress.close();
await close();
