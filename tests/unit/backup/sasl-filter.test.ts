import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSaslFilter } from '../../../src/lib/backup/engine/sasl-filter.ts';

/** A message of the protocol: type, length, payload. */
function message(type: string, payload: Buffer): Buffer {
  const header = Buffer.alloc(5, type);
  header.writeUInt32BE(4 + payload.length, 1);
  return Buffer.concat([header, payload]);
}

function saslOffer(...mechanisms: string[]): Buffer {
  const list = mechanisms.map((name) => `${name}\0`).join('');
  return message('R', Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from(`${list}\0`)]));
}

const offer = saslOffer('SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256');
const offerWithoutPlus = saslOffer('SCRAM-SHA-256');
const notice = message('N', Buffer.from('SNOTICE\0\0'));
const authenticationOk = message('R', Buffer.from([0, 0, 0, 0]));

/** Sends bytes through a new filter, cut at the given places. */
function filtered(bytes: Buffer, cuts: readonly number[] = []): Buffer {
  const filter = createSaslFilter();
  const places = [0, ...cuts, bytes.length].sort((a, b) => a - b);
  return Buffer.concat(places.slice(1).map((end, index) => filter(bytes.subarray(places[index], end))));
}

describe('the filter of SASL mechanisms', () => {
  it('takes out those that bind to the TLS channel', () => {
    expect(filtered(offer)).toEqual(offerWithoutPlus);
  });

  it('gives the same however the messages are cut', () => {
    const bytes = Buffer.concat([notice, offer, Buffer.from('anything behind')]);
    const expected = Buffer.concat([notice, offerWithoutPlus, Buffer.from('anything behind')]);

    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
        expect(filtered(bytes, cuts)).toEqual(expected);
      }),
    );
  });

  it.each([
    ['another first authentication message', Buffer.concat([authenticationOk, offer])],
    ['an error', message('E', Buffer.from('SFATAL\0\0'))],
    ['an offer without such mechanisms', offerWithoutPlus],
    ['a message that claims to be huge', Buffer.from([0x52, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 10])],
  ])('leaves %s as it is', (_, bytes) => {
    expect(filtered(bytes, [1, 2, 7])).toEqual(bytes);
  });
});
