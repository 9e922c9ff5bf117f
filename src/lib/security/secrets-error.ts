/**
 * `secret_missing`: neither vault nor setting has it. `secret_unusable`: what the vault has is not what the setting must be.
 * `vault_refused`: the app may not read the vault.
 */
type SecretsErrorCode = 'secret_missing' | 'secret_unusable' | 'vault_refused';

/** A secret cannot be had until somebody mends it. Its message is for an operator, and never holds a value. */
export class SecretsError extends Error {
  override readonly name = 'SecretsError' as const;
  readonly code: SecretsErrorCode;

  constructor(code: SecretsErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
