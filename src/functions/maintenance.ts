import { runtime } from '../runtime.ts';
import type { TimerFunction } from './declarations.ts';

/** Does, every five minutes, what is due. */
export const maintenance: TimerFunction = {
  name: 'maintenance',
  schedule: '0 */5 * * * *',
  handle: (signal) => runtime().files().discardAbandoned(signal),
};
