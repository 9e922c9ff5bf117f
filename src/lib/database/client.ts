import pg from 'pg';
import type { DatabaseAddress } from './address.ts';

/** TCP connect, TLS and authentication, with the time for a token. */
const connectTimeoutMs = 5_000;

/** A connection that comes up in 5 s or not at all, and that closes when logging in fails on our side. */
export class Client extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    // A pool has a time of its own, for waiting, and hides the password from enumeration, so that a spread loses it.
    super({ ...config, password: config.password, connectionTimeoutMillis: connectTimeoutMs });
    // The driver would leave the socket open when there is no token, and the server would wait for it for a minute.
    this.connection.on('error', () => this.connection.stream.destroy());
  }
}

/** An address in the words of the driver. */
export function clientConfig({ tls, password, ...place }: DatabaseAddress): pg.ClientConfig {
  return {
    ...place,
    // Without one, the driver would look for it in the environment and in files.
    password: password ?? (() => ''),
    application_name: 'crownsafe',
    keepAlive: true,
    ssl: tls ?? false,
  };
}
