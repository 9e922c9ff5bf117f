import { describe, expect, it } from 'vitest';
import { resolveAccount } from '../../../src/lib/storage/connection.ts';

const connect = (value: string) => resolveAccount({ kind: 'connection-string', value });

describe('resolveAccount', () => {
  it('reads a connection string of the public cloud', () => {
    const account = connect(
      'DefaultEndpointsProtocol=https;AccountName=crown;AccountKey=a2V5==;EndpointSuffix=core.windows.net',
    );

    expect(account).toEqual({
      name: 'crown',
      key: 'a2V5==',
      endpoints: {
        blob: 'https://crown.blob.core.windows.net',
        queue: 'https://crown.queue.core.windows.net',
        table: 'https://crown.table.core.windows.net',
      },
    });
  });

  it('reads one with endpoints of its own, in any order and case', () => {
    const account = connect(
      ' accountkey=k== ; BLOBENDPOINT=http://127.0.0.1:1/acct/;TableEndpoint=http://127.0.0.1:3/acct;AccountName=acct;EndpointSuffix=core.chinacloudapi.cn;',
    );

    expect(account.endpoints).toEqual({
      blob: 'http://127.0.0.1:1/acct',
      queue: 'https://acct.queue.core.chinacloudapi.cn',
      table: 'http://127.0.0.1:3/acct',
    });
  });

  it('knows the emulator', () => {
    expect(connect('UseDevelopmentStorage=true').endpoints.blob).toBe(
      'http://127.0.0.1:10000/devstoreaccount1',
    );
  });

  it('takes an account name and key', () => {
    const account = resolveAccount({ kind: 'account-key', account: 'crown', accountKey: 'k' });

    expect(account).toMatchObject({
      name: 'crown',
      key: 'k',
      endpoints: { queue: 'https://crown.queue.core.windows.net' },
    });
  });

  it.each([
    ['crown', 'crown'],
    [{ blob: 'https://crown.blob.core.usgovcloudapi.net' }, 'crown'],
    [{ blob: 'https://crown.z01.blob.storage.azure.net' }, 'crown'],
    [{ blob: 'https://127.0.0.1:10000/devstoreaccount1' }, 'devstoreaccount1'],
  ])('knows the account of an identity by its place %j', (account, name) => {
    expect(resolveAccount({ kind: 'identity', account })).toEqual({
      name,
      endpoints: expect.objectContaining({ blob: expect.stringContaining(name) }),
    });
  });

  it.each([
    { blob: 'http://127.0.0.1:10000/devstoreaccount1' },
    { blob: 'https://a.blob', queue: 'https://a.queue', table: 'http://a.table' },
  ])('sends no token in the clear: %j', (account) => {
    expect(() => resolveAccount({ kind: 'identity', account })).toThrow(TypeError);
    expect(resolveAccount({ kind: 'account-key', account, accountKey: 'k' }).endpoints).toBe(account);
  });

  it.each([
    ['AccountName=crown', 'AccountKey'],
    ['AccountKey=secret', 'AccountName'],
    ['AccountName=crown;AccountKey=', 'AccountKey'],
    ['secret', 'AccountName'],
    ['', 'AccountName'],
  ])('says what is missing in "%s", and tells no value', (text, missing) => {
    expect(() => connect(text)).toThrow(new TypeError(`The storage connection string has no ${missing}`));
  });
});
