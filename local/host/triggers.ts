import { randomUUID } from 'node:crypto';
import { systemClock } from '../../src/lib/core/index.ts';
import { LocalError } from '../local-error.ts';
import type { FunctionInfo } from './protocol.ts';
import { createQueueTrigger } from './queue-trigger.ts';
import { createTimer } from './timers.ts';
import type { Trigger, TriggerContext } from './trigger.ts';
import type { WorkerProcess } from './worker-process.ts';

interface TriggerHost extends Pick<TriggerContext, 'env' | 'settings' | 'stateFolder' | 'log'> {
  readonly worker: () => Promise<WorkerProcess>;
}

/**
 * Makes the triggers of the functions that are not called over HTTP, by name.
 *
 * @throws {@link LocalError} for a binding that this host does not know
 */
export function createTriggers(functions: readonly FunctionInfo[], host: TriggerHost): Map<string, Trigger> {
  const makers = new Map([
    ['timertrigger', createTimer],
    ['queuetrigger', createQueueTrigger],
  ]);
  const triggers = new Map<string, Trigger>();
  for (const { name, trigger, bindings } of functions) {
    const binding = bindings[trigger];
    const others = Object.keys(bindings).filter((key) => key !== trigger && key !== '$return');
    const kind = others.length > 0 ? undefined : binding?.type.toLowerCase();
    if (kind === 'httptrigger') continue;
    const make = makers.get(kind ?? '');
    if (!binding || !make) throw new LocalError(`The local host does not know all bindings of "${name}".`);
    const run: TriggerContext['run'] = async (data, triggerMetadata) => {
      const call = { invocationId: randomUUID(), functionId: name, triggerMetadata };
      return (await host.worker()).invoke({ ...call, inputData: [{ name: trigger, data }] });
    };
    triggers.set(name, make({ ...host, name, binding, clock: systemClock, run }));
  }
  return triggers;
}
