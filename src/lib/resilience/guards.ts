import { type Dependency, knownDependencies } from './dependencies.ts';
import { createGuard, type Guard, type Surroundings } from './guard.ts';

/** The guards of all dependencies. */
export interface Guards {
  /** Makes the guard of a host at its first use. */
  of(dependency: Dependency): Guard;
  /** `undefined` for a host that has not been called of late. */
  peek(dependency: Dependency): Guard | undefined;
  all(): readonly Guard[];
}

/**
 * Hosts whose guards are kept: far more than anybody notifies within a minute, and a megabyte at most. The one not used
 * for longest goes first; what it knew of its host begins anew.
 */
const mostHosts = 200;

export function createGuards(around: Surroundings): Guards {
  const known = new Map<Dependency, Guard>(
    knownDependencies.map((name) => [name, createGuard(name, around)]),
  );
  /** By their last use, oldest first. */
  const hosts = new Map<Dependency, Guard>();

  const ofHost = (dependency: Dependency) => {
    const guard = hosts.get(dependency) ?? createGuard(dependency, around);
    hosts.delete(dependency);
    hosts.set(dependency, guard);
    const [oldest] = hosts.keys();
    if (hosts.size > mostHosts && oldest !== undefined) hosts.delete(oldest);
    return guard;
  };
  return {
    of: (dependency) => known.get(dependency) ?? ofHost(dependency),
    peek: (dependency) => known.get(dependency) ?? hosts.get(dependency),
    all: () => [...known.values(), ...hosts.values()],
  };
}
