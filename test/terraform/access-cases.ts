import type { Case, World } from './case.ts';
import { connection } from './connection.ts';
import { organization, user } from './organization.ts';

/** Connections, organizations and users. */
export function accessCases({ postgresql, otherOrganization }: World): Case[] {
  return [
    {
      name: 'postgresql_connection',
      resource: connection('postgresql'),
      first: { name: 'pg', configuration: postgresql },
      updates: [
        { change: { name: 'pg 2' }, changes: ['name'] },
        {
          change: { configuration: { ...postgresql, ssl: false, password: 'another' } },
          changes: ['configuration'],
        },
      ],
    },
    {
      name: 'postgresql_connection of a partner',
      resource: connection('postgresql'),
      partner: { in: otherOrganization },
      first: { name: 'theirs', organization: otherOrganization, configuration: postgresql },
      updates: [{ change: { name: 'theirs 2' }, changes: ['name'] }],
    },
    {
      name: 'mysql_connection',
      resource: connection('mysql'),
      first: {
        name: 'my',
        configuration: { hostname: '127.0.0.1', port: 9, account: 'root', passwd: 'x', dbname: 'shop' },
      },
      updates: [
        { change: { name: 'my 2' }, changes: ['name'] },
        {
          change: {
            configuration: { hostname: '127.0.0.1', port: 9, account: 'root', passwd: 'y', ssl: true },
          },
          changes: ['configuration'],
        },
      ],
    },
    {
      name: 's3_connection',
      resource: connection('s3'),
      first: { name: 's3', configuration: s3 },
      updates: [
        { change: { name: 's3 2' }, changes: ['name'] },
        {
          change: {
            configuration: { ...s3, csv_has_headers: false, skip_lines: 2, directory_glob_pattern: '*.csv' },
          },
          changes: ['configuration'],
        },
      ],
    },
    {
      name: 'webhook_connection',
      resource: connection('webhook'),
      first: {
        name: 'hook',
        configuration: {
          url: 'http://127.0.0.1:9/x',
          auth_method: 'polytomic_secret',
          headers: [{ name: 'X-Kind', value: 'one' }],
        },
      },
      updates: [
        { change: { name: 'hook 2' }, changes: ['name'] },
        {
          change: { configuration: { url: 'http://127.0.0.1:9/y', auth_method: 'polytomic_secret' } },
          changes: ['configuration'],
        },
      ],
    },
    {
      name: 'csv_connection',
      resource: connection('csv'),
      first: { name: 'csv', configuration: { url: 'http://127.0.0.1:9/x.csv' } },
      updates: [
        {
          change: {
            name: 'csv 2',
            configuration: { url: 'http://127.0.0.1:9/y.csv', headers: [{ name: 'X-Kind', value: 'one' }] },
          },
          changes: ['configuration', 'name'],
        },
      ],
    },
    {
      name: 'httpenrichment_connection',
      resource: connection('httpenrichment'),
      first: { name: 'lookup', configuration: { url: 'http://127.0.0.1:9/{{id}}', method: 'GET' } },
      updates: [{ change: { name: 'lookup 2' }, changes: ['name'] }],
    },
    {
      name: 'organization',
      resource: organization,
      partner: true,
      first: { name: 'Theirs', sso_domain: 'theirs.test' },
      updates: [
        { change: { name: 'Theirs 2', sso_org_id: 'org_1' }, changes: ['name', 'sso_org_id'] },
        { change: { sso_domain: null }, changes: ['sso_domain'] },
      ],
    },
    {
      name: 'user',
      resource: user,
      partner: { in: otherOrganization },
      first: { organization: otherOrganization, email: 'A.User@Theirs.test', role: 'Admin' },
      updates: [{ change: { role: 'user' }, changes: ['role'] }],
    },
    {
      name: 'user without a role',
      resource: user,
      partner: { in: otherOrganization },
      first: { organization: otherOrganization, email: 'bare@theirs.test' },
      updates: [{ change: { email: 'Bare@Theirs.test' }, changes: ['email'] }],
    },
  ];
}

const s3 = {
  auth_mode: 'access_key_and_secret',
  s3_bucket_name: 'bucket',
  s3_bucket_region: 'us-east-1',
  aws_access_key_id: 'AKIAXXXXXXXX',
  aws_secret_access_key: 'secret',
};
