/** The client closed its connection before it had the whole answer; nobody is left to tell. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError' as const;
  readonly code = 'client_gone';

  constructor() {
    super('The client has gone');
  }
}
