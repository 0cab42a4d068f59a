import { expect, test } from 'vitest';
import { nearId, nearName } from './near-name.ts';

test('a name is near one that is written differently or one slip away, and not near another word', () => {
  const known = ['schemas', 'resync', 'batch_size', 'day_of_week', 'id', 'mode', 'filters', 'hostname'];
  const near = (name: string) => nearName(name, known);
  expect(near('shcemas')).toBe('schemas');
  expect(near('schema')).toBe('schemas');
  expect(near('resnc')).toBe('resync');
  expect(near('batchsize')).toBe('batch_size');
  expect(near('batch-size')).toBe('batch_size');
  expect(near('dayOfWeek')).toBe('day_of_week');
  expect(near('FILTER')).toBe('filters');
  for (const other of ['ids', 'timezone', 'host', 'x', '', 'fields_of_others', 'm'.repeat(10_000)]) {
    expect(near(other), other).toBeUndefined();
  }
});

test('an id is near one that has its last part', () => {
  const known = ['public.users', 'public.customers', 'sales.cust', 'orders'];
  const near = (id: string) => nearId(id, known);
  expect(near('cust')).toBe('sales.cust');
  expect(near('User')).toBe('public.users');
  expect(near('app.customers')).toBe('public.customers');
  expect(near('public.orders')).toBe('orders');
  for (const other of ['', 'public', 'public.', 'items', '.']) expect(near(other), other).toBeUndefined();
});
