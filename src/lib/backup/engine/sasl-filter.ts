import { Buffer } from 'node:buffer';

/** Message type 'R', Authentication…, and its subtype AuthenticationSASL. */
const authentication = 0x52;
const saslRequest = 10;
/** Type byte and length word. */
const headerBytes = 5;
/** Longer than any message before the end of authentication; what claims more is left to libpq to refuse. */
const maxMessageBytes = 65_536;

/**
 * Takes the `-PLUS` mechanisms out of the server's offer. They bind to the TLS channel, which ends in our socket and
 * not in pg_dump: its libpq knows no TLS and refuses the whole offer when it sees one of them.
 *
 * @returns a function to be called with each chunk the server sends; messages may be split in any way
 */
export function createSaslFilter(): (chunk: Buffer) => Buffer {
  let held: Buffer = Buffer.alloc(0);
  let done = false;
  return (chunk) => {
    if (done) return chunk;
    held = Buffer.concat([held, chunk]);
    const ready: Buffer[] = [];
    while (!done && held.length >= headerBytes) {
      const messageBytes = 1 + held.readUInt32BE(1);
      if (messageBytes > maxMessageBytes) done = true;
      else if (held.length < messageBytes) break;
      else {
        const message = held.subarray(0, messageBytes);
        held = held.subarray(messageBytes);
        done = message[0] === authentication;
        ready.push(done ? withoutPlus(message) : message);
      }
    }
    if (done) ready.push(held);
    return Buffer.concat(ready);
  };
}

function withoutPlus(message: Buffer): Buffer {
  if (message.length < headerBytes + 4 || message.readUInt32BE(headerBytes) !== saslRequest) return message;
  const offered = message.toString('latin1', headerBytes + 4).split('\0');
  const kept = offered.filter((mechanism) => mechanism && !mechanism.endsWith('-PLUS'));
  // Each name ends with a zero byte, and so does the list.
  const list = Buffer.from([...kept, '', ''].join('\0'), 'latin1');
  const header = Buffer.from(message.subarray(0, headerBytes + 4));
  header.writeUInt32BE(header.length - 1 + list.length, 1);
  return Buffer.concat([header, list]);
}
