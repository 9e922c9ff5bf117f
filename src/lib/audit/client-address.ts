import type { Keyring } from '../security/index.ts';
import type { AuditRow } from './hashes.ts';

/** The salt of its row binds an address to it: copied to another row, it is not decrypted. */
function contextOf(salt: Buffer): string {
  return `audit_log.client_address ${salt.toString('hex')}`;
}

export function encryptAddress(keyring: Keyring, address: string | null, salt: Buffer): Buffer | null {
  return address === null ? null : keyring.encrypt(address, contextOf(salt));
}

/**
 * The address a request came from; `null` where there was none, or it has been erased.
 *
 * @throws FieldKeyError when the key is neither the current nor the previous one, or the value is damaged
 */
export function decryptAddress(
  keyring: Keyring,
  { client_address: bytes, salt }: Pick<AuditRow, 'client_address' | 'salt'>,
): string | null {
  return bytes && salt ? keyring.decrypt(bytes, contextOf(salt)) : null;
}
