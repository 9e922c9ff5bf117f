import { Server } from 'node:net';

/**
 * Makes servers that name no host listen on 127.0.0.1 only. The library's stream server is one of them: it would
 * listen on every interface, and whoever reaches it can send requests past the front.
 */
export function listenOnLoopbackByDefault(): void {
  const listen = Server.prototype.listen as (...args: unknown[]) => Server;
  Server.prototype.listen = function (this: Server, ...args: unknown[]) {
    const [first, second] = args;
    const named = typeof first === 'string' || typeof second === 'string';
    const given = typeof first === 'object' && first !== null ? first : { port: first };
    if (named || !('port' in given) || ('host' in given && given.host)) return listen.apply(this, args);
    const port = typeof given.port === 'function' ? 0 : (given.port ?? 0);
    const callback = args.find((arg) => typeof arg === 'function');
    return listen.call(this, { ...given, port, host: '127.0.0.1' }, callback);
  };
}
